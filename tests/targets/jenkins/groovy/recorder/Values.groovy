package recorder

/** Evaluated arguments as plain data. */
class Values {
    static Object plain(value) {
        if (value instanceof CharSequence) { return value.toString() }
        if (value instanceof Map) { return value.collectEntries { key, inner -> ["$key".toString(), plain(inner)] } }
        if (value instanceof Collection) { return value.collect { plain(it) } }
        if (value instanceof Closure) { return '{...}' }
        value == null || value instanceof Number || value instanceof Boolean ? value : "$value".toString()
    }

    /** Arguments by name; a lone unnamed one gets the name of the only required argument. */
    static Map<String, Object> named(List arguments, Described model) {
        if (!arguments) { return [:] }
        boolean isMap = arguments[0] instanceof Map && !arguments[0].containsKey('$class') && !arguments[0].containsKey('$symbol')
        if (arguments.size() == 1 && isMap) { return plain(arguments[0]) }
        if (arguments.size() > 1) { return [values: plain(arguments)] }
        [(model?.mainName() ?: 'value'): plain(arguments[0])]
    }

    static Map<String, Object> symbol(String name, List arguments) { [$symbol: name] + named(arguments, null) }
}
