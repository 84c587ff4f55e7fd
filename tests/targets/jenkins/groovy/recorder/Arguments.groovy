package recorder

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.runtime.ScriptBytecodeAdapter

/** Reads the arguments of steps and directives, in the shape of the official AST JSON, and checks them by the catalogue. */
class Arguments {
    private final Source source

    Arguments(Source source) { this.source = source }

    /** One value: a literal, or the source text of anything that has to be evaluated. */
    Map value(Expression expression) {
        if (expression instanceof ConstantExpression) { return constant(expression) }
        if (expression instanceof GStringExpression || expression instanceof MapExpression) {
            return [isLiteral: false, value: source.slice(expression)]
        }
        if (expression instanceof VariableExpression && expression.name in ['any', 'none']) {
            return [isLiteral: true, value: expression.name]
        }
        def code = expressionText(expression)
        if (code.startsWith('${')) {
            source.error(expression, "$code cannot be used as a value directly. Did you mean \"$code\"? (add quotes)")
        }
        [isLiteral: false, value: '${' + code + '}']
    }

    /** The arguments of a step: named pairs, one unnamed value, or several. */
    Object ofStep(List<Expression> expressions) {
        if (!expressions) { return [] }
        if (expressions.size() > 1) { return expressions.collect { value(it) } }
        def only = expressions[0]
        only instanceof MapExpression && !isLegacyStep(only) ? named(only) : value(only)
    }

    private List named(MapExpression map) {
        map.mapEntryExpressions.collect { [key: source.key(it.keyExpression), value: value(it.valueExpression)] }
    }

    /** `[$class: 'Foo', ...]` is one value, not named arguments. */
    private static boolean isLegacyStep(MapExpression map) {
        map.mapEntryExpressions.any { it.keyExpression instanceof ConstantExpression && it.keyExpression.value == '$class' }
    }

    void checkStep(node, String name, List<Expression> expressions, Described model) {
        if (expressions.size() > 1) {
            source.error(node, "Arguments to \"$name\" must be explicitly named.")
        } else if (!expressions) {
            requireAll(node, model, [])
        } else if (expressions[0] instanceof MapExpression && !isLegacyStep(expressions[0])) {
            checkNamed(node, expressions[0], model)
        } else if (model.soleRequired()) {
            checkType(expressions[0], model.types[model.soleRequired()])
        } else if (!model.takesBlock) {
            source.error(node, 'Step does not take a single required parameter - use named parameters instead')
        }
    }

    private void checkNamed(node, MapExpression map, Described model) {
        def good = map.mapEntryExpressions.collect { entry ->
            def key = source.key(entry.keyExpression)
            boolean alone = map.mapEntryExpressions.size() == 1 && model.soleRequired() == key && !model.takesBlock
            isKnown(entry, key, model) && checkType(entry.valueExpression, model.types[key], alone ? null : key)
        }.every()
        if (good) { requireAll(node, model, map.mapEntryExpressions.collect { it.keyExpression.text }) }
    }

    private void requireAll(node, Described model, List<String> given) {
        (model.required - given).each { source.error(node, "Missing required parameter: \"$it\"") }
    }

    /** A directive that looks like a method call: an option, a trigger, a parameter. */
    Map method(MethodCallExpression call) {
        def name = source.name(call)
        def values = Source.arguments(call).collectMany { argument ->
            argument instanceof MapExpression ? argument.mapEntryExpressions.collect { pair(it) } : [methodValue(call, argument)]
        }
        [name: name, arguments: values.findAll { it != null }]
    }

    private Map pair(MapEntryExpression entry) {
        [key: source.key(entry.keyExpression), value: methodValue(entry, entry.valueExpression)]
    }

    private Map methodValue(node, Expression expression) {
        if (expression instanceof ClosureExpression) {
            source.error(node, 'Method call arguments')
            return null
        }
        expression instanceof MethodCallExpression ? method(expression) : value(expression)
    }

    void checkMethod(MethodCallExpression call, Described model) {
        def name = Source.plainName(call)
        if (name in Catalogue.BLOCKED_METHODS) { source.error(call, blocked(name, Catalogue.BLOCKED_METHODS[name])) }
        if (model == null) { return }
        def arguments = Source.arguments(call)
        if (arguments.any { it instanceof MapExpression }) {
            if (arguments.size() > 1) { source.error(call, 'Cannot mix named and unnamed arguments') }
            arguments.findAll { it instanceof MapExpression }.each { map ->
                map.mapEntryExpressions.each { checkEntry(it, model) }
            }
        } else if (arguments.size() > 1) {
            source.error(call, "Arguments to \"$name\" must be explicitly named.")
        } else if (model.required.size() != arguments.size()) {
            boolean flag = !arguments && model.soleRequired() && model.types[model.soleRequired()] == Boolean
            if (!flag) {
                source.error(call, "\"$name\" should have ${model.required.size()} arguments but has ${arguments.size()} arguments instead.")
            }
        } else if (arguments) {
            checkMethodValue(arguments[0], model.types[model.soleRequired()], null)
        }
    }

    private void checkEntry(MapEntryExpression entry, Described model) {
        def key = source.key(entry.keyExpression)
        if (isKnown(entry, key, model)) { checkMethodValue(entry.valueExpression, model.types[key], key) }
    }

    private void checkMethodValue(Expression expression, Class type, String key) {
        if (expression instanceof MethodCallExpression) {
            def name = Source.plainName(expression)
            checkMethod(expression, Catalogue.METHODS[name] ?: Catalogue.STEPS[name])
        } else {
            checkType(expression, type, key)
        }
    }

    private boolean isKnown(MapEntryExpression entry, String key, Described model) {
        if (key in model.types) { return true }
        source.error(entry.keyExpression, "Invalid parameter \"$key\", did you mean \"${model.nearest(key)}\"?")
        false
    }

    /** Literals must fit their type; what has to be evaluated is not looked at. */
    private boolean checkType(Expression expression, Class type, String key = null) {
        if (!(expression instanceof ConstantExpression) || fits(expression.value, type)) { return true }
        def place = key ? " for parameter \"$key\"" : ''
        source.error(expression,
            "Expecting \"$type\"$place but got \"$expression.value\" of type ${expression.value?.getClass()} instead")
        false
    }

    private static boolean fits(value, Class type) {
        if (type == String && (value instanceof Integer || value instanceof Boolean)) { return false }
        if (type == int && (value instanceof String || value instanceof Boolean)) { return false }
        try {
            ScriptBytecodeAdapter.castToType(value, type)
            return true
        } catch (Exception ignored) {
            return false
        }
    }

    private Map constant(ConstantExpression expression) {
        def value = expression.value
        if (value instanceof BigInteger && value.bitLength() > 63) {
            source.error(expression, 'BigIntegers cannot be used as constants in Declarative.')
        }
        [isLiteral: true, value: value]
    }

    private String expressionText(Expression expression) {
        expression instanceof BinaryExpression ?
            expressionText(expression.leftExpression) + expression.operation.text + expressionText(expression.rightExpression) :
            source.slice(expression)
    }

    static String blocked(String name, String why) {
        "Invalid step \"$name\" used - not allowed in this context - $why"
    }
}
