package recorder

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/**
 * Reads a declarative Jenkinsfile into the official AST JSON and notes everything that the Declarative validator rejects.
 *
 * Rules and messages are those of pipeline-model-definition (ModelParser, ModelValidatorImpl), checked against what a
 * real controller's linter said about some two hundred files.
 */
class PipelineReader {
    private static final Map<String, String> GONE = [
        properties   : 'The ‘properties’ section has been renamed as of version 0.8. Use ‘options’ instead.',
        wrappers     : 'The \'wrappers\' section has been removed as of version 0.8. Use \'options\' instead.',
        jobProperties: 'The ‘jobProperties’ section has been renamed as of version 0.7. Use ‘properties’ instead.',
        notifications: 'The ‘notifications’ section has been removed as of version 0.6. Use ‘post’ for all post-build actions.',
        postBuild    : 'The ‘postBuild’ section has been renamed as of version 0.6. Use ‘post’ for all post-build actions.',
    ]

    private final Source source
    private final StepReader steps
    private final DirectiveReader directives
    private final EnvironmentReader environments
    private final ConditionReader conditions

    PipelineReader(Source source) {
        this.source = source
        def arguments = new Arguments(source)
        steps = new StepReader(source, arguments)
        directives = new DirectiveReader(source, arguments)
        environments = new EnvironmentReader(source, arguments)
        conditions = new ConditionReader(source, arguments, steps)
    }

    /** The model; null when there is no pipeline to read. */
    Map read() {
        if (!source.readable) { return null }
        def statement = source.topStatements().find { isPipeline(it) }
        if (statement) { return [pipeline: pipeline(statement)] }
        source.topStatements().each { rejectNested(it) }
        if (!source.errors) { source.errors << "Jenkinsfile content '$source.text' did not contain the 'pipeline' step".toString() }
        null
    }

    private static boolean isPipeline(Statement statement) {
        def block = Source.block(statement)
        block?.name == 'pipeline' && block.arguments.size() == 1
    }

    private void rejectNested(Statement statement) {
        def block = Source.block(statement)
        if (block?.name == 'pipeline') {
            source.error(statement, 'pipeline block must be at the top-level, not within another block.')
        }
        block?.statements()?.each { rejectNested(it) }
    }

    private Map pipeline(Statement statement) {
        def read = sections(statement, Source.block(statement).statements(), { unknownSection(it) }, [
            stages     : { stages(it, false) },
            environment: { environments.read(it) },
            post       : { conditions.post(it) },
            agent      : { directives.agent(it) },
            tools      : { directives.tools(it) },
            options    : { directives.options(it, false) },
            parameters : { directives.parameters(it) },
            triggers   : { directives.triggers(it) },
            libraries  : { directives.libraries(it) },
        ])
        require(statement, read, ['stages', 'agent'])
        read
    }

    private String unknownSection(String name) { GONE[name] ?: "Undefined section \"$name\"" }

    /** Reads each line of a block by the reader of its first word; says so when a word is unknown, repeated or no word. */
    private Map sections(Statement owner, List<Statement> lines, Closure<String> unknown, Map<String, Closure> readers) {
        Map<String, Object> read = [:]
        lines.each { line ->
            def call = Source.call(line)
            if (call == null) {
                source.error(line, "Not a valid section definition: \"${source.slice(line)}\". Some extra configuration is required.")
                return
            }
            def name = source.name(call)
            if (read.containsKey(name)) { source.error(line, "Multiple occurrences of the $name section") }
            if (name in readers) {
                read[name] = readers[name](line)
            } else {
                source.error(line, unknown(name))
            }
        }
        read
    }

    private void require(Statement owner, Map read, List<String> names) {
        names.findAll { !read.containsKey(it) }.each { source.error(owner, "Missing required section \"$it\"") }
    }

    /** `stages` or `parallel`: a list of stages. */
    private List<Map> stages(Statement statement, boolean inParallel) {
        def block = source.expectBlock(statement, Source.call(statement).methodAsString)
        if (!block) { return [] }
        def read = block.statements().findResults { stage(it, inParallel) }
        if (!read) { source.error(statement, 'No stages specified') }
        DirectiveReader.duplicates(read*.name).each { source.error(statement, "Duplicate stage name: \"$it\"") }
        read
    }

    private Map stage(Statement statement, boolean inParallel) {
        def block = Source.block(statement)
        if (block?.name != 'stage') {
            source.error(statement, 'Expected a stage')
            return null
        }
        def name = source.key(block.argument(0))
        if (!(block.argument(1) instanceof ClosureExpression)) {
            source.error(statement, 'Stage does not have a block')
            return [name: name]
        }
        def read = stageSections(statement, block, inParallel)
        checkContent(statement, name, read, inParallel)
        def content = read.remove('steps')
        [name: name] + read + (content ? [branches: content] : [:])
    }

    private Map stageSections(Statement statement, Block block, boolean inParallel) {
        def unknown = { String name ->
            "Unknown stage section \"$name\". Starting with version 0.5, steps in a stage must be in a ‘steps’ block."
        }
        def read = sections(statement, block.statements(), unknown, stageDirectives() + [
            steps   : { line -> source.expectBlock(line, 'steps')?.with { steps.branches(it) } ?: [] },
            parallel: { stages(it, true) },
            matrix  : { matrix(it) },
            failFast: { source.bool(Source.call(it)) },
            stages  : { stages(it, inParallel) },
        ])
        rejectAgentAroundBranches(block, read)
        read.findAll { it.value != null }
    }

    private Map<String, Closure> stageDirectives() {
        [
            agent      : { directives.agent(it) },
            when       : { conditions.when(it) },
            post       : { conditions.post(it) },
            options    : { directives.options(it, true) },
            input      : { directives.input(it) },
            tools      : { directives.tools(it) },
            environment: { environments.read(it) },
        ]
    }

    private void rejectAgentAroundBranches(Block block, Map read) {
        if (!read.containsKey('parallel') && !read.containsKey('matrix')) { return }
        def name = block.argument(0).text
        block.statements().each { line ->
            def word = Source.call(line)?.methodAsString
            if (word in ['agent', 'tools']) {
                source.error(line, "\"$word\" is not allowed in stage \"$name\" as it contains parallel or matrix stages")
            }
        }
    }

    private void checkContent(Statement statement, String name, Map read, boolean inParallel) {
        def content = ['steps', 'parallel', 'matrix', 'stages'].findAll { read.containsKey(it) }
        if (inParallel && (read.parallel != null || read.matrix != null || read.steps?.size() > 1)) {
            def line = Source.block(statement).statements().find { Source.call(it)?.methodAsString in ['matrix', 'parallel', 'steps'] }
            source.error(line, '"matrix" or "parallel" cannot be nested inside another "matrix" or "parallel".')
        } else if (content.size() > 1) {
            source.error(statement, "Only one of \"matrix\", \"parallel\", \"stages\", or \"steps\" allowed for stage \"$name\"")
        } else if (!content) {
            source.error(statement, "Expected one of \"steps\", \"stages\", or \"parallel\" for stage \"$name\"")
        }
    }

    private Map matrix(Statement statement) {
        def block = source.expectBlock(statement, 'matrix')
        if (!block) { return [:] }
        def matrices = new MatrixReader(source)
        def read = sections(statement, block.statements(), { unknownSection(it) }, stageDirectives() + [
            axes    : { matrices.axes(it) },
            excludes: { matrices.excludes(it) },
            stages  : { stages(it, true) },
        ])
        require(statement, read, ['axes', 'stages'])
        read
    }
}
