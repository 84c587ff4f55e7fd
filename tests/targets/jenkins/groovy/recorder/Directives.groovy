package recorder

/** Evaluates the directives of a pipeline or stage: records each, and says in which context its steps then run. */
class Directives {
    private static final int MOST_ROUNDS = 10

    private final Recorder recorder

    Directives(Recorder recorder) { this.recorder = recorder }

    static Closure block(Map section) {
        section && section.arguments && section.arguments[-1] instanceof Closure ? section.arguments[-1] : null
    }

    List<Map> described(Map section) {
        def body = block(section)
        body ? recorder.collect(body).collect { [name: it.name] + Values.named(nested(it.arguments), null).findAll { it.key != 'name' } + named(it) } : []
    }

    /** Parameters have an argument called `name` of their own; their kind is kept as `type`. */
    private static Map named(Map call) {
        def first = call.arguments ? call.arguments[0] : null
        first instanceof Map && first.containsKey('name') && !first.containsKey('arguments') ?
            [type: call.name, name: Values.plain(first.name)] : [:]
    }

    static Object nested(value) {
        if (value instanceof List) { return value.collect { nested(it) } }
        if (value instanceof Map && value.keySet() == ['name', 'arguments'] as Set) {
            return Values.symbol(value.name, nested(value.arguments))
        }
        value instanceof Map ? value.collectEntries { key, inner -> [key, nested(inner)] } : value
    }

    void entries(Map<String, Map> sections, List<String> names) {
        names.findAll { sections[it] }.each { recorder.record(type: it, entries: described(sections[it])) }
    }

    void parameters(Map section) {
        def entries = described(section)
        if (!entries) { return }
        entries.each { entry ->
            def first = entry.choices instanceof List ? entry.choices[0] : entry.choices?.toString()?.readLines()?.find()
            if (!recorder.params.containsKey(entry.name)) { recorder.params[entry.name] = entry.choices ? first : entry.defaultValue }
            recorder.globalEnv.putIfAbsent(entry.name, "${recorder.params[entry.name]}".toString())
        }
        recorder.record(type: 'parameters', entries: entries)
    }

    Context onAgent(Context context, Map section) {
        if (!section) { return context }
        def inner = block(section)
        if (!inner) {
            recorder.record(type: 'agent', agent: section.arguments[0])
            return context.onNode(section.arguments[0] == 'none' ? null : 'any')
        }
        def kind = recorder.collect(inner)[0]
        def settings = block(kind) ? recorder.collect(block(kind)).collectEntries { [it.name, Values.plain(it.arguments[0])] } :
            [(kind.name): Values.plain(kind.arguments[0])]
        recorder.record(type: 'agent', agent: kind.name, settings: settings)
        context.onNode(settings.label ?: settings.image ?: kind.name)
    }

    Context withEnvironment(Map section) {
        def context = recorder.context
        if (!section) { return context }
        def assigned = evaluated(block(section))
        def secrets = assigned.findAll { isCredentials(it.value) }
        def plain = (assigned - secrets).collectEntries { name, value -> [name, "$value".toString()] }
        def bound = secrets.collect { name, call -> [$symbol: 'credentials', credentialsId: "${call.arguments[0]}".toString(), variable: name] }
        recorder.record(type: 'environment', variables: plain, secrets: bound)
        context.plusEnv(plain).plusCredentials(bound).plusEnv(secrets.collectEntries { [it.key, '****'] })
    }

    static boolean isCredentials(value) { value instanceof Map && value.name == 'credentials' }

    /** A variable may refer to one further down: read first without what is missing, then with what that gave. */
    Map<String, Object> evaluated(Closure body) {
        Map<String, Object> known = [:]
        def mark = recorder.events.size()
        for (int round = 0; round < MOST_ROUNDS; round++) {
            def read = recorder.assignments(body, known, true)
            recorder.events.subList(mark, recorder.events.size()).clear()
            if (read == known) { break }
            known = read
        }
        recorder.assignments(body, known, false)
    }

    /** `input`: recorded, and its parameters become variables of the stage. */
    Context input(Map section) {
        def fields = recorder.collect(block(section)).collectEntries { [it.name, it] }
        def settings = fields.findAll { it.key != 'parameters' }.collectEntries { name, call -> [name, Values.plain(call.arguments[0])] }
        def asked = described(fields.parameters)
        recorder.record(type: 'input', settings: settings, entries: asked)
        def variables = asked.collectEntries { [it.name, "${it.defaultValue}".toString()] }
        if (settings.submitterParameter) { variables[settings.submitterParameter] = 'approver' }
        recorder.context.plusEnv(variables)
    }

    void when(Map section) {
        def calls = recorder.collect(block(section))
        def before = calls.findAll { it.name.startsWith('before') }.collectEntries { [it.name, it.arguments[0]] }
        def conditions = calls.findAll { !it.name.startsWith('before') }.collect { condition(it) }
        recorder.record([type: 'when', conditions: conditions] + before)
    }

    private Map condition(Map call) {
        def inner = block(call)
        if (call.name == 'expression') { return [name: 'expression', value: Values.plain(recorder.inContext(recorder.context, inner))] }
        if (inner) { return [name: call.name, children: recorder.collect(inner).collect { condition(it) }] }
        [name: call.name, arguments: Values.named(call.arguments, Catalogue.WHEN[call.name])]
    }
}
