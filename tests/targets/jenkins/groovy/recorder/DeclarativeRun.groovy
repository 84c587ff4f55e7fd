package recorder

/**
 * Runs a `pipeline` block: every stage, every post condition, whatever `when` says, so that all there is gets recorded.
 * `when` and its evaluated expressions are recorded themselves.
 */
class DeclarativeRun {
    private final Recorder recorder
    private final StepRunner steps
    private final Directives directives

    DeclarativeRun(Recorder recorder) {
        this.recorder = recorder
        steps = new StepRunner(recorder)
        directives = new Directives(recorder)
    }

    void run(Closure body) {
        def sections = words(body)
        directives.parameters(sections.parameters)
        directives.entries(sections, ['options', 'triggers', 'tools'])
        around(sections) {
            try {
                stages(sections.stages)
            } finally {
                post(sections.post)
            }
        }
    }

    private Map<String, Map> words(Closure body) { recorder.collect(body).collectEntries { [it.name, it] } }

    /** Runs a body on the agent and in the environment that some sections ask for. */
    private Object around(Map<String, Map> sections, Closure body) {
        def context = directives.onAgent(recorder.context, sections.agent)
        recorder.inContext(context) {
            recorder.inContext(directives.withEnvironment(sections.environment), body)
        }
    }

    private void stages(Map section) {
        recorder.collect(Directives.block(section)).each { stage(it) }
    }

    private void stage(Map call) {
        def sections = words(call.arguments[-1])
        steps.stage("${call.arguments[0]}".toString()) {
            content(sections)
        }
    }

    private void content(Map<String, Map> sections) {
        directives.entries(sections, ['options', 'tools'])
        if (sections.when) { directives.when(sections.when) }
        recorder.inContext(sections.input ? directives.input(sections.input) : recorder.context) {
            around(sections) {
                try {
                    work(sections)
                } finally {
                    post(sections.post)
                }
            }
        }
    }

    private void work(Map<String, Map> sections) {
        if (sections.steps) { recorder.inContext(recorder.context, Directives.block(sections.steps)) }
        if (sections.stages) { stages(sections.stages) }
        if (sections.parallel) { recorder.branches(recorder.collect(Directives.block(sections.parallel)).collect { call -> { -> stage(call) } }) }
        if (sections.matrix) { matrix(words(Directives.block(sections.matrix))) }
    }

    private void matrix(Map<String, Map> sections) {
        def axes = recorder.collect(Directives.block(sections.axes)).collect { axis(it) }
        def excluded = sections.excludes ? recorder.collect(Directives.block(sections.excludes)).collect { exclude ->
            recorder.collect(Directives.block(exclude)).collect { axis(it) }
        } : []
        recorder.branches(cells(axes).findAll { cell -> !excluded.any { axesMatch(it, cell) } }.collect { cell -> { -> runCell(cell, sections) } })
    }

    private void runCell(Map<String, String> cell, Map<String, Map> sections) {
        def name = 'Matrix - ' + cell.collect { axis, value -> "$axis = '$value'" }.join(', ')
        recorder.inContext(recorder.context.plusEnv(cell)) {
            steps.stage(name) { content(sections) }
        }
    }

    private Map axis(Map call) {
        def lines = words(Directives.block(call))
        def values = (lines['values'] ?: lines.notValues).arguments.collect { "$it".toString() }
        [name: "${lines.name.arguments[0]}".toString(), values: values, inverse: lines.containsKey('notValues')]
    }

    private static List<Map<String, String>> cells(List<Map> axes) {
        axes.inject([[:]]) { cells, axis -> cells.collectMany { cell -> axis['values'].collect { cell + [(axis.name): it] } } }
    }

    private static boolean axesMatch(List<Map> axes, Map<String, String> cell) {
        axes.every { axis -> (cell[axis.name] in axis['values']) != axis.inverse }
    }

    private void post(Map section) {
        if (!section) { return }
        recorder.collect(Directives.block(section)).each { condition ->
            recorder.inContext(recorder.context.inSection("post/$condition.name"), condition.arguments[-1])
        }
    }
}
