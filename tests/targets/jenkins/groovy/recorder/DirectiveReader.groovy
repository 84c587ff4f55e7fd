package recorder

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** Reads what a pipeline and its stages say about themselves: agent, options, triggers, parameters, tools, input. */
class DirectiveReader {
    private final Source source
    private final Arguments arguments

    DirectiveReader(Source source, Arguments arguments) {
        this.source = source
        this.arguments = arguments
    }

    Map agent(Statement statement) {
        def block = Source.block(statement)
        block ? agentBlock(statement, block) : bareAgent(statement)
    }

    private Map bareAgent(Statement statement) {
        def given = Source.arguments(Source.call(statement))
        if (!given) {
            source.error(statement, 'No argument for agent')
            return null
        }
        def type = given.size() == 1 ? source.key(given[0]) : null
        if (!(type in ['any', 'none'])) {
            source.error(statement, 'Only "agent none", "agent any" or "agent {...}" are allowed.')
            return null
        }
        [type: type]
    }

    private Map agentBlock(Statement statement, Block block) {
        def inner = block.statements()
        def call = inner.size() == 1 ? Source.call(inner[0]) : null
        if (call == null) {
            source.error(statement, inner.size() > 1 ? 'Only one agent type is allowed per agent section' : 'Expected an agent')
            return null
        }
        def type = source.key(call.method)
        def given = settings(block)[type]
        if (type == 'label' && given instanceof List) { type = 'node' }
        checkAgent(call, type, given)
        if (type == 'label' && given == [isLiteral: true, value: '']) { return [type: 'any'] }
        [type: type] + (given instanceof List ? (given ? [arguments: given] : [:]) : [argument: given])
    }

    private void checkAgent(MethodCallExpression call, String type, given) {
        if (type in ['any', 'none']) { return }
        def model = Catalogue.AGENT_TYPES[type]
        if (model == null) {
            source.error(call.method, "Invalid agent type \"$type\" specified. Must be one of $Catalogue.AGENTS")
        } else if (given instanceof List) {
            (model.required - given*.key).each {
                source.error(call.method, "Missing required parameter for agent type \"$type\": $it")
            }
            (given*.key - model.types.keySet()).each {
                source.error(call.method, "Invalid config option \"$it\" for agent type \"$type\". Valid config options are ${model.types.keySet() as List}")
            }
        }
    }

    /** `key value` lines, the value possibly a block of such lines again. */
    private Map<String, Object> settings(Block block) {
        block.statements().collectEntries { statement ->
            def call = Source.call(statement)
            if (call == null) {
                source.error(block.body, 'Expected to find ‘someKey "someValue"’')
                return [:]
            }
            def key = source.key(call.method)
            def given = Source.arguments(call)
            if (given.size() != 1) {
                source.error(call.method, "${given ? 'Too many arguments' : 'No argument'} for map key \"$key\"")
                return [:]
            }
            def inner = Source.block(statement)
            [key, inner ? settings(inner).collect { name, value -> [key: name, value: value] } : arguments.value(given[0])]
        }
    }

    Map options(Statement statement, boolean inStage) {
        def calls = methods(statement, 'options', 'Options', 'Expected an option')
        def allowed = inStage ? Catalogue.STAGE_OPTIONS : Catalogue.OPTIONS
        checkNames(statement, calls, 'option', allowed)
        checkUnique(statement, calls, 'option')
        calls.each { call ->
            def name = Source.plainName(call)
            arguments.checkMethod(call, Catalogue.METHODS[name] ?: Catalogue.STEPS[name])
            if (name == 'preserveStashes') { checkStashCount(call) }
        }
        [options: calls.collect { arguments.method(it) }]
    }

    private void checkStashCount(MethodCallExpression call) {
        Source.arguments(call).findAll { it instanceof MapExpression }*.mapEntryExpressions.flatten()*.valueExpression.each {
            if (it instanceof ConstantExpression && it.value instanceof Integer && !(it.value in 1..50)) {
                source.error(call, 'The number of builds to preserve must be between 1 and 50.')
            }
        }
    }

    Map triggers(Statement statement) {
        def calls = methods(statement, 'triggers', 'Triggers', 'Expected a trigger')
        checkNames(statement, calls, 'trigger', Catalogue.TRIGGERS.keySet() as List)
        checkUnique(statement, calls, 'trigger')
        calls.each { arguments.checkMethod(it, Catalogue.TRIGGERS[Source.plainName(it)]) }
        [triggers: calls.collect { arguments.method(it) }]
    }

    Map parameters(Statement statement) {
        def calls = methods(statement, 'parameters', 'Build parameters', 'Expected a build parameter definition')
        checkNames(statement, calls, 'parameter', Catalogue.PARAMETERS.keySet() as List)
        calls.each { arguments.checkMethod(it, Catalogue.PARAMETERS[Source.plainName(it)]) }
        [parameters: calls.collect { arguments.method(it) }]
    }

    private List<MethodCallExpression> methods(Statement statement, String section, String title, String expected) {
        def block = source.expectBlock(statement, section)
        if (!block) { return [] }
        if (!block.statements()) { source.error(statement, "$section can not be empty") }
        block.statements().findResults { line ->
            def call = Source.call(line)
            boolean map = line instanceof ExpressionStatement && line.expression instanceof MapExpression
            if (call == null) {
                source.error(line, map ? "$title cannot be defined as maps" : expected)
            } else if (Source.block(line)) {
                source.error(line, "$title definitions cannot have blocks")
                call = null
            }
            call
        }
    }

    private void checkNames(Statement statement, List<MethodCallExpression> calls, String kind, List<String> allowed) {
        calls.each {
            def name = source.name(it)
            if (!(name in allowed)) { source.error(it, "Invalid $kind type \"$name\". Valid $kind types: $allowed") }
        }
    }

    private void checkUnique(Statement statement, List<MethodCallExpression> calls, String kind) {
        duplicates(calls.collect { Source.plainName(it) }).each { source.error(statement, "Duplicate $kind name: \"$it\"") }
    }

    static List duplicates(List names) { names.findAll { names.count(it) > 1 }.unique(false) }

    List<Map> tools(Statement statement) {
        def block = source.expectBlock(statement, 'tools')
        if (!block) { return [] }
        if (!block.statements()) { source.error(statement, 'No tools specified') }
        block.statements().findResults { line ->
            def call = Source.call(line)
            if (call == null) {
                source.error(statement, 'Expected to find ‘someTool "someVersion"’')
                return null
            }
            tool(call)
        }
    }

    private Map tool(MethodCallExpression call) {
        def type = source.key(call.method)
        def given = Source.arguments(call)
        if (given.size() != 1) {
            source.error(call.method, "${given ? 'Too many arguments' : 'No argument'} for tool \"$type\"")
            return null
        }
        def version = arguments.value(given[0])
        if (!(type in Catalogue.TOOLS)) {
            source.error(call.method, "Invalid tool type \"$type\". Valid tool types: $Catalogue.TOOLS")
        } else if (version.isLiteral && Catalogue.INSTALLED_TOOLS[type] != version.value) {
            def nearest = Catalogue.INSTALLED_TOOLS[type]
            source.error(given[0], "Tool type \"$type\" does not have an install of \"$version.value\" configured - did you mean \"$nearest\"?")
        }
        [key: type, value: version]
    }

    Map libraries(Statement statement) {
        def block = source.expectBlock(statement, 'libraries')
        if (block && !block.statements()) { source.error(statement, 'libraries can not be empty') }
        def named = (block ? block.statements() : []).findResults { line ->
            def call = Source.call(line)
            def given = call ? Source.arguments(call) : []
            if (call?.methodAsString != 'lib' || given.size() != 1) {
                source.error(statement, "Expected a \"lib(...)\" but got ${source.slice(line)}")
                return null
            }
            arguments.value(given[0])
        }
        [libraries: named]
    }

    Map input(Statement statement) {
        def block = source.expectBlock(statement, 'input')
        if (!block) { return [:] }
        Map<String, Object> fields = [:]
        block.statements().each { line ->
            def call = Source.call(line)
            if (call == null) {
                source.error(statement, "Not a valid section definition: \"${source.slice(line)}\". Some extra configuration is required.")
                return
            }
            readField(statement, line, call, fields)
        }
        if (!fields.message) { source.error(statement, 'No message specified for input') }
        fields
    }

    private void readField(Statement statement, Statement line, MethodCallExpression call, Map<String, Object> fields) {
        def name = source.name(call)
        def given = Source.arguments(call)
        if (fields.containsKey(name)) { source.error(statement, "Multiple occurrences of the $name section") }
        if (given.size() != 1) {
            source.error(call.method, "${given ? 'Too many arguments' : 'No argument'} for field \"$name\"")
        } else if (name == 'parameters') {
            fields[name] = parameters(line)
        } else if (name in ['message', 'id', 'ok', 'submitter', 'submitterParameter']) {
            fields[name] = arguments.value(given[0])
        } else {
            source.error(call.method, "Not a valid field for input: \"$name\"")
        }
    }
}
