package recorder

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*
import org.codehaus.groovy.control.*

/** Reads the steps of a `steps` or post block. */
class StepReader {
    private final Source source
    private final Arguments arguments

    StepReader(Source source, Arguments arguments) {
        this.source = source
        this.arguments = arguments
    }

    /** A named block of steps, a 'branch' in the words of the official model. */
    Map branch(String name, Statement body) {
        def statements = Source.statements(body)
        if (!statements) { source.error(body, 'No steps specified for branch') }
        [name: name, steps: statements.collect { step(it) }.findAll()]
    }

    /** The branches of a stage's `steps`: one, or those of a lone scripted `parallel`. */
    List<Map> branches(Block steps) {
        def statements = steps.statements()
        def parallel = statements.size() == 1 ? Source.call(statements[0]) : null
        def alone = parallel && Source.plainName(parallel) == 'parallel' ? Source.arguments(parallel) : []
        if (alone.size() != 1 || !(alone[0] instanceof NamedArgumentListExpression)) { return [branch('default', steps.body.code)] }
        alone[0].mapEntryExpressions.findAll { it.valueExpression instanceof ClosureExpression }.collect {
            branch(source.key(it.keyExpression), it.valueExpression.code)
        }
    }

    Map step(Statement statement) {
        def call = Source.call(statement)
        if (call == null) {
            source.error(statement, 'Expected a step')
            return null
        }
        def name = source.name(call)
        if (name in ['script', 'expression']) { return codeBlock(statement, name) }
        if (name in Catalogue.BLOCKED_STEPS) { source.error(statement, Arguments.blocked(name, Catalogue.BLOCKED_STEPS[name])) }

        def block = Source.block(statement)
        def given = Source.arguments(call)
        if (block) { given = given[0..<-1] }
        def model = Catalogue.STEPS[name]
        if (model) { arguments.checkStep(statement, name, given, model) }
        def read = arguments.ofStep(given)
        if (block) { return [name: name, arguments: read, children: block.statements().collect { step(it) }.findAll()] }
        boolean unnamed = read instanceof Map && model?.soleRequired() && !model.takesBlock
        [name: name, arguments: unnamed ? [[key: model.soleRequired(), value: read]] : read]
    }

    /** `script { ... }` and `expression { ... }`: free Groovy, kept as text. */
    Map codeBlock(Statement statement, String name) {
        def block = Source.block(statement)
        if (block == null) {
            source.error(statement, "${name == 'script' ? 'Script' : 'When'} step without a block")
            return null
        }
        def code = block.statements() ? source.slice(block.body.code) : ''
        checkCompiles(statement, name, code)
        [name: name, arguments: [[key: 'scriptBlock', value: [isLiteral: true, value: code]]]]
    }

    private void checkCompiles(Statement statement, String name, String code) {
        def compilation = new CompilationUnit()
        compilation.addSource(name, code)
        try {
            compilation.compile(Phases.PARSING)
        } catch (MultipleCompilationErrorsException failure) {
            def said = failure.errorCollector.errors.collect { it.cause.originalMessage }.join(', ')
            source.error(statement, "Groovy compilation error(s) in $name. Error(s): \"$said\"")
        }
    }
}
