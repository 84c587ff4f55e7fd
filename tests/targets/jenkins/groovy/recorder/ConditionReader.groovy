package recorder

import java.util.regex.Pattern
import java.util.regex.PatternSyntaxException

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** Reads `when` and `post`: under which conditions something runs. */
class ConditionReader {
    private final Source source
    private final Arguments arguments
    private final StepReader steps

    ConditionReader(Source source, Arguments arguments, StepReader steps) {
        this.source = source
        this.arguments = arguments
        this.steps = steps
    }

    Map when(Statement statement) {
        def block = source.expectBlock(statement, 'when')
        if (!block) { return [conditions: []] }
        Map<String, Object> read = [conditions: []]
        block.statements().each { line ->
            def call = Source.call(line)
            if (call == null) {
                source.error(statement, 'Expected a when condition')
            } else if (source.name(call) in ['beforeAgent', 'beforeInput', 'beforeOptions']) {
                read[call.methodAsString] = source.bool(call)
            } else {
                read.conditions << condition(line)
            }
        }
        read.conditions = read.conditions.findAll()
        if (!read.conditions) { source.error(statement, 'Empty when closure, remove the property or add some content.') }
        read.findAll { it.value != null }
    }

    private Map condition(Statement statement) {
        def call = Source.call(statement)
        if (call == null) {
            source.error(statement, 'Expected a when condition')
            return null
        }
        def name = source.name(call)
        if (name == 'expression') { return steps.codeBlock(statement, name) }
        if (!(name in Catalogue.WHEN)) {
            def known = Catalogue.WHEN.keySet().sort(false).join(', ')
            source.error(statement, "Unknown conditional $name. Valid conditionals are: $known")
        }
        def block = Source.block(statement)
        if (block) { return nested(statement, name, block) }
        def given = Source.arguments(call)
        checkCondition(statement, name, given)
        [name: name, arguments: arguments.ofStep(given)]
    }

    private void checkCondition(Statement statement, String name, List<Expression> given) {
        if (name in Catalogue.NESTING_CONDITIONS) {
            source.error(statement, "No additional arguments are allowed for children when condition \"$name\".")
        } else if (name in Catalogue.WHEN) {
            arguments.checkStep(statement, name, given, Catalogue.WHEN[name])
        }
        if (name == 'changelog' && given.size() == 1 && given[0] instanceof ConstantExpression) {
            try {
                Pattern.compile("${given[0].value}")
            } catch (PatternSyntaxException failure) {
                source.error(statement, "\"${given[0].value}\" is not a valid regular expression. $failure.message")
            }
        }
    }

    private Map nested(Statement statement, String name, Block block) {
        def wanted = Catalogue.NESTING_CONDITIONS[name]
        def count = block.statements().size()
        if (block.arguments.size() > 1) {
            source.error(statement, "No additional arguments are allowed for children when condition \"$name\".")
        } else if (wanted == null && name in Catalogue.WHEN) {
            source.error(statement, "No children when conditions are allowed for when condition \"$name\".")
        } else if (wanted == -1 && !count) {
            source.error(statement, "Nested when condition \"$name\" requires at least one child condition.")
        } else if (wanted == 1 && count != 1) {
            source.error(statement, "Nested when condition \"$name\" requires exactly 1 child condition(s).")
        }
        [name: name, children: block.statements().collect { condition(it) }.findAll()]
    }

    Map post(Statement statement) {
        def block = Source.block(statement)
        if (!block) {
            source.error(statement, 'Expected a block')
            return [conditions: []]
        }
        def conditions = block.statements().findResults { postCondition(it) }
        if (!conditions) { source.error(statement, 'post can not be empty') }
        DirectiveReader.duplicates(conditions*.condition).each { source.error(statement, "Duplicate build condition name: \"$it\"") }
        [conditions: conditions]
    }

    private Map postCondition(Statement statement) {
        def block = Source.block(statement)
        if (!block) {
            source.error(statement,
                "The ‘post’ section can only contain build condition names with code blocks. Valid condition names are $Catalogue.POST_CONDITIONS")
            return null
        }
        if (!(block.name in Catalogue.POST_CONDITIONS)) {
            source.error(statement, "Invalid condition \"$block.name\" - valid conditions are $Catalogue.POST_CONDITIONS")
        }
        [condition: block.name, branch: steps.branch('default', block.body.code)]
    }
}
