package recorder

import javax.lang.model.SourceVersion

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.syntax.Types

/** Reads `environment { NAME = value }`. */
class EnvironmentReader {
    private final Source source
    private final Arguments arguments

    EnvironmentReader(Source source, Arguments arguments) {
        this.source = source
        this.arguments = arguments
    }

    List<Map> read(Statement statement) {
        def block = source.expectBlock(statement, 'environment')
        if (!block) { return [] }
        Map<String, Map> variables = [:]
        boolean pairs = true
        block.statements().each { line ->
            def expression = line instanceof ExpressionStatement ? line.expression : null
            if (expression instanceof BinaryExpression && expression.operation.type == Types.EQUAL) {
                readVariable(expression, variables)
            } else {
                if (expression) { badVariable(expression) }
                pairs = false
            }
        }
        if (!pairs) { source.error(statement, 'Expected name=value pairs') }
        if (!variables) { source.error(statement, 'No variables specified for environment') }
        variables.collect { name, value -> [key: name, value: value] }
    }

    private void readVariable(BinaryExpression pair, Map<String, Map> variables) {
        def name = source.key(pair.leftExpression)
        if (!validName(name)) { source.error(pair.leftExpression, invalidName(name)) }
        if (name in variables) {
            source.error(pair.leftExpression, "Duplicate environment variable name: \"$name\"")
            return
        }
        def value = variableValue(pair.rightExpression)
        if (value) { variables[name] = value }
    }

    private Map variableValue(Expression expression) {
        if (expression instanceof ConstantExpression || expression instanceof GStringExpression) { return arguments.value(expression) }
        if (expression instanceof MethodCallExpression) {
            return Source.plainName(expression) == 'credentials' ? credentials(expression) : arguments.value(expression)
        }
        if (expression instanceof BinaryExpression) { return sum(expression) }
        source.error(expression, 'Environment variable values must either be single quoted, double quoted, or function calls.')
        null
    }

    private Map credentials(MethodCallExpression call) {
        def given = Source.arguments(call)
        if (given.any { !(it instanceof ConstantExpression) && !(it instanceof GStringExpression) }) {
            source.error(call, 'Internal function call parameters must be strings.')
        }
        [name: 'credentials', arguments: given.collect { arguments.value(it) }]
    }

    private Map sum(BinaryExpression expression) {
        if (expression.operation.type != Types.PLUS) {
            source.error(expression, 'Environment variable values can only be joined together with ‘+’s.')
            return null
        }
        def parts = [expression.leftExpression, expression.rightExpression].collect { side ->
            if (side instanceof BinaryExpression) { return sum(side) }
            if (side instanceof ConstantExpression || side instanceof GStringExpression) { return arguments.value(side) }
            source.error(side, 'Environment variable values to be concatenated together must be single or double quoted.')
            null
        }.findAll()
        def text = parts.collect { it.isLiteral ? "$it.value" : trimQuotes(it.value) }.join('')
        [isLiteral: parts.every { it.isLiteral }, value: text]
    }

    private static String trimQuotes(String text) {
        text.size() > 1 && text[0] == text[-1] && text[0] in ['"', "'"] ? trimQuotes(text[1..<-1]) : text
    }

    private void badVariable(Expression expression) {
        def text = source.slice(expression)
        source.error(expression, text.contains('=') ? invalidName(text.split('=')[0].trim()) :
            "\"$text\" is not a valid environment expression. Use \"key = value\" pairs with valid Java/shell keys.")
    }

    static boolean validName(String name) {
        SourceVersion.isIdentifier(name) && name ==~ /[a-zA-Z_]+[a-zA-Z0-9_]*/
    }

    static String invalidName(String name) {
        "\"$name\" is not a valid identifier and cannot be used for an environment variable. Identifiers must start with a " +
            'letter or underscore and can contain only letters, numbers or underscores.'
    }
}
