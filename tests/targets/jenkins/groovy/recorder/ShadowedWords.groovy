package recorder

import org.codehaus.groovy.ast.ClassCodeVisitorSupport
import org.codehaus.groovy.ast.ClassNode
import org.codehaus.groovy.ast.expr.ConstantExpression
import org.codehaus.groovy.ast.expr.MethodCallExpression
import org.codehaus.groovy.classgen.GeneratorContext
import org.codehaus.groovy.control.CompilePhase
import org.codehaus.groovy.control.SourceUnit
import org.codehaus.groovy.control.customizers.CompilationCustomizer

/** Renames the words of Jenkins that plain Groovy would understand by itself, so that they reach the recorder. */
class ShadowedWords extends CompilationCustomizer {
    static final String PREFIX = '__'
    private static final List<String> WORDS = ['sleep', 'print', 'println', 'equals', 'properties']

    ShadowedWords() { super(CompilePhase.CONVERSION) }

    @Override
    void call(SourceUnit unit, GeneratorContext context, ClassNode node) {
        new ClassCodeVisitorSupport() {
            @Override
            protected SourceUnit getSourceUnit() { unit }

            @Override
            void visitMethodCallExpression(MethodCallExpression call) {
                super.visitMethodCallExpression(call)
                if (call.isImplicitThis() && call.methodAsString in WORDS) {
                    call.method = new ConstantExpression(PREFIX + call.methodAsString)
                }
            }
        }.visitClass(node)
    }
}
