package recorder

import org.codehaus.groovy.ast.expr.*
import org.codehaus.groovy.ast.stmt.*

/** Reads the axes of a matrix, and the cells left out of it. */
class MatrixReader {
    private final Source source
    private final Arguments arguments

    MatrixReader(Source source) {
        this.source = source
        arguments = new Arguments(source)
    }

    List<Map> axes(Statement statement) {
        def block = source.expectBlock(statement, 'axes')
        axesOf(statement, block, false)
    }

    List<List<Map>> excludes(Statement statement) {
        def block = source.expectBlock(statement, 'excludes')
        if (block && !block.statements()) { source.error(statement, 'No exclude directives specified') }
        (block ? block.statements() : []).collect { axesOf(it, source.expectBlock(it, 'exclude'), true) }
    }

    private List<Map> axesOf(Statement statement, Block block, boolean excluded) {
        if (!block) { return [] }
        if (!block.statements()) { source.error(statement, 'No axis directives specified') }
        def names = [:]
        def read = block.statements().collect { axis(it, excluded, names) }
        DirectiveReader.duplicates(read*.name).findAll().each { source.error(names[it], "Duplicate axis name: \"$it\"") }
        read
    }

    private Map axis(Statement statement, boolean excluded, Map<String, Expression> names) {
        def block = source.expectBlock(statement, 'axis')
        Map<String, Object> read = [:]
        (block ? block.statements() : []).each { line -> readLine(line, excluded, names, read) }
        ['name', 'values'].findAll { !read.containsKey(it) }.each { source.error(statement, "Missing required section \"$it\"") }
        read
    }

    private void readLine(Statement line, boolean excluded, Map<String, Expression> names, Map<String, Object> read) {
        def call = Source.call(line)
        def word = call ? source.name(call) : null
        def given = call ? Source.arguments(call) : []
        if (call == null) {
            source.error(line, "Not a valid section definition: \"${source.slice(line)}\". Some extra configuration is required.")
        } else if (read.containsKey(word)) {
            source.error(line, "Multiple occurrences of the $word section")
        } else if (word == 'name') {
            read.name = axisName(line, given, names)
        } else if (word == 'values') {
            read.values = values(given, !excluded)
        } else if (word == 'notValues' && excluded) {
            if (read.containsKey('values')) { source.error(line, 'Exclude axis must contain either "values" or "notValues"') }
            read.values = values(given, false)
            read.inverse = true
        } else {
            source.error(line, "Undefined section \"$word\"")
        }
    }

    private String axisName(Statement line, List<Expression> given, Map<String, Expression> names) {
        if (given.size() != 1) {
            source.error(line, "${given ? 'Too many arguments' : 'No argument'} for field \"name\"")
            return null
        }
        def name = source.literal(given[0])
        if (!EnvironmentReader.validName(name)) { source.error(given[0], EnvironmentReader.invalidName(name)) }
        names.putIfAbsent(name, given[0])
        name
    }

    private List<Map> values(List<Expression> given, boolean checked) {
        def read = given.collect { arguments.value(it) }
        if (!checked) { return read }
        DirectiveReader.duplicates(read*.value).each { twice ->
            source.error(given[read*.value.indexOf(twice)], "Duplicate axis value: \"$twice\"")
        }
        read.eachWithIndex { value, index ->
            if (!value.isLiteral) { source.error(given[index], "Expected string literal but got $value.value") }
        }
        read
    }
}
