package recorder

/** The arguments of a directive or step: their types, and which must be given. */
class Described {
    Map<String, Class> types
    List<String> required
    boolean takesBlock

    Described block() {
        takesBlock = true
        this
    }

    String soleRequired() { required.size() == 1 ? required[0] : null }

    /** What a lone unnamed argument is called. */
    String mainName() { soleRequired() ?: (types.size() == 1 ? types.keySet()[0] : null) }

    /** The known argument name that looks most like a mistyped one. */
    String nearest(String name) {
        types.keySet().min { distance(name, it) }
    }

    private static int distance(String one, String other) {
        int[] above = (0..other.size())
        one.eachWithIndex { letter, row ->
            int[] line = new int[above.length]
            line[0] = row + 1
            other.eachWithIndex { sign, column ->
                line[column + 1] = [above[column] + (letter == sign ? 0 : 1), above[column + 1] + 1, line[column] + 1].min()
            }
            above = line
        }
        above[-1]
    }
}
