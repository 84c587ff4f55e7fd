package recorder

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** `name(arguments..., body)`; the body is also the last of the arguments. */
class Block {
    MethodCallExpression call
    String name
    List<Expression> arguments
    ClosureExpression body

    List<Statement> statements() { Source.statements(body.code) }
    Expression argument(int index) { index < arguments.size() ? arguments[index] : null }
}
