package recorder

/** Takes down the words of a directive's block. A word used as another's argument is that one's value, not a line of its own. */
class Collector {
    /** In `environment`, steps such as `sh(returnStdout: true, ...)` are run for their value. */
    final boolean runsSteps
    final Map<String, Object> assigned = [:]
    /** Values of names that nothing else defines. */
    final Map<String, Object> known
    /** Whether a name that nobody knows is read as empty. */
    final boolean lenient
    private final List<Map> all = []

    Collector(Map settings = [:]) {
        runsSteps = settings.runsSteps
        known = settings.known ?: [:]
        lenient = settings.lenient
    }

    Map add(String name, List arguments) {
        def call = [name: name, arguments: arguments]
        all.removeAll { earlier -> holds(arguments, earlier) }
        all << call
        call
    }

    List<Map> getCalls() { all }

    private static boolean holds(value, Map wanted) {
        if (value.is(wanted)) { return true }
        def inner = value instanceof Map ? value.values() : value instanceof Collection ? value : []
        inner.any { holds(it, wanted) }
    }
}
