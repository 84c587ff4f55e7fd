package recorder

import com.cloudbees.groovy.cps.NonCPS
import com.cloudbees.groovy.cps.CpsTransformer
import groovyjarjarasm.asm.ClassReader
import groovyjarjarasm.asm.ClassVisitor
import groovyjarjarasm.asm.MethodVisitor
import groovyjarjarasm.asm.Opcodes
import groovyjarjarasm.asm.Type
import org.codehaus.groovy.control.*
import org.codehaus.groovy.control.customizers.ImportCustomizer

/** Compiles a Jenkinsfile by Jenkins' own compiler, and says what stops it. */
class Cps {
    /** Groovy's runtime makes arrays of arguments by methods with up to this many parameters. */
    private static final int MOST_ARRAY_ELEMENTS = 250

    static List<String> errors(String text) {
        def configuration = configuration('com.cloudbees.groovy.cps.SerializableScript')
        def compilation = new CompilationUnit(configuration, null, new GroovyClassLoader(Cps.classLoader))
        compilation.addSource(Source.NAME, text)
        try {
            compilation.compile(Phases.CLASS_GENERATION)
        } catch (MultipleCompilationErrorsException failure) {
            return Source.messages(failure)
        } catch (StackOverflowError | RuntimeException failure) {
            return ["$failure".toString()]
        }
        compilation.classes.collectMany { tooManyArguments(it.bytes) }.unique()
    }

    static CompilerConfiguration configuration(String baseClass) {
        def configuration = new CompilerConfiguration()
        configuration.addCompilationCustomizers(new ImportCustomizer().addStarImports(NonCPS.package.name), new CpsTransformer())
        configuration.scriptBaseClass = baseClass
        configuration
    }

    /** Calls that compile but can't be linked when they are run. */
    private static List<String> tooManyArguments(byte[] code) {
        List<String> found = []
        def calls = new MethodVisitor(Opcodes.ASM4) {
            void visitMethodInsn(int opcode, String owner, String name, String descriptor) {
                int count = Type.getArgumentTypes(descriptor).length
                if (owner == 'org/codehaus/groovy/runtime/ArrayUtil' && count > MOST_ARRAY_ELEMENTS) {
                    found << "java.lang.NoSuchMethodError: ArrayUtil.createArray with $count arguments".toString()
                }
            }
        }
        new ClassReader(code).accept(new ClassVisitor(Opcodes.ASM4) {
            MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] exceptions) { calls }
        }, 0)
        found
    }
}
