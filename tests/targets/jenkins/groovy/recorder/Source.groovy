package recorder

import org.codehaus.groovy.ast.ASTNode
import org.codehaus.groovy.ast.ModuleNode
import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.control.*
import org.codehaus.groovy.syntax.SyntaxException

/**
 * A Jenkinsfile as Groovy's own parser sees it, up to the phase at which Jenkins' validator looks at it
 * (CONVERSION), together with all errors found so far in the linter's form.
 */
class Source {
    static final String NAME = 'WorkflowScript'

    final String text
    final List<String> errors = []
    private SourceUnit unit
    private ModuleNode module

    Source(String text) {
        this.text = text
        parse()
    }

    boolean isReadable() { module != null }

    List<Statement> topStatements() { module.statementBlock.statements }

    void error(ASTNode node, String message) {
        def place = node.lineNumber > 0 ? node : module
        errors << located(message, place.lineNumber, place.columnNumber)
    }

    /** The characters from which a node was read. */
    String slice(ASTNode node) {
        int first = node.lineNumber, firstColumn = node.columnNumber
        int last = node.lastLineNumber, lastColumn = node.lastColumnNumber
        if (node instanceof BlockStatement) {  // its own end is not always right, its statements' is
            node.statements.each {
                if (it.lineNumber < first) { first = it.lineNumber; firstColumn = it.columnNumber }
                if (it.lastLineNumber > last) { last = it.lastLineNumber; lastColumn = it.lastColumnNumber }
            }
        }
        (first..last).collect { number ->
            String line = unit.source.getLine(number, null)
            if (number == last) { line = line.substring(0, lastColumn - 1) }
            number == first ? line.substring(firstColumn - 1) : line
        }.join('\n').trim()
    }

    static List<Statement> statements(Statement code) {
        code instanceof BlockStatement ? code.statements : [code]
    }

    static MethodCallExpression call(Statement statement) {
        def expression = statement instanceof ExpressionStatement ? statement.expression : null
        expression instanceof MethodCallExpression ? expression : null
    }

    /** The call of a word followed by a block, `word(...) { ... }`; null for anything else. */
    static Block block(Statement statement) {
        def call = call(statement)
        def name = call ? plainName(call) : null
        def arguments = call ? arguments(call) : []
        name != null && arguments && arguments.last() instanceof ClosureExpression ?
            new Block(call: call, name: name, arguments: arguments, body: arguments.last()) : null
    }

    Block expectBlock(Statement statement, String section) {
        def block = block(statement)
        if (!block) { error(statement, "Expected a block for $section") }
        block
    }

    static List<Expression> arguments(MethodCallExpression call) {
        ((TupleExpression) call.arguments).expressions
    }

    /** The name of a call without a receiver; null for `object.method()` and for computed names. */
    static String plainName(MethodCallExpression call) {
        def receiver = call.objectExpression
        receiver instanceof VariableExpression && receiver.name == 'this' ? call.methodAsString : null
    }

    /** Like plainName, but says what is wrong and answers 'error', as Jenkins' parser does. */
    String name(MethodCallExpression call) {
        def name = plainName(call)
        if (name != null) { return name }
        def receiver = call.objectExpression
        boolean onObject = receiver instanceof VariableExpression && !receiver.isThisExpression()
        error(call, onObject ? 'Method calls on objects not allowed outside "script" blocks.' : 'Expected a symbol')
        'error'
    }

    String literal(Expression expression) {
        def value = literalOrNull(expression)
        if (value == null) { error(expression, 'Expected string literal') }
        value ?: ''
    }

    /** A key; an empty or unreadable one is called 'error', as Jenkins' parser does. */
    String key(Expression expression) { literal(expression) ?: 'error' }

    Boolean bool(MethodCallExpression call) {
        def given = arguments(call)
        if (given && given[0] instanceof ConstantExpression && given[0].value instanceof Boolean) { return given[0].value }
        error(call.method, "Expected a boolean with $call.methodAsString")
        null
    }

    private static String literalOrNull(Expression expression) {
        if (expression instanceof VariableExpression) { return expression.name }
        expression instanceof ConstantExpression && expression.value instanceof String ? expression.value : null
    }

    private void parse() {
        def compilation = new CompilationUnit()
        unit = compilation.addSource(NAME, text)
        try {
            compilation.compile(Phases.CONVERSION)
            module = unit.AST
        } catch (MultipleCompilationErrorsException failure) {
            errors.addAll(messages(failure))
        }
    }

    static List<String> messages(MultipleCompilationErrorsException failure) {
        failure.errorCollector.errors.collect { message ->
            SyntaxException cause = message.hasProperty('cause') && message.cause instanceof SyntaxException ? message.cause : null
            cause ? located(cause.originalMessage, cause.line, cause.startColumn) : plain(message)
        }
    }

    private static String plain(message) {
        def writer = new StringWriter()
        message.write(new PrintWriter(writer, true))
        writer.toString().trim()
    }

    private static String located(String message, int line, int column) {
        "$NAME: $line: $message @ line $line, column $column."
    }
}
