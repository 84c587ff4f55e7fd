package doubles

import recorder.*

/**
 * Runs a `pipeline` block. In which order agent, credentials, environment, options, `when` and `input` stand around the steps,
 * and what becomes of an error, is that of pipeline-model-definition (ModelInterpreter, of November 2025).
 */
class LiveDeclarative {
    private final LiveBuild live
    private final StepRunner steps
    private final Directives directives
    private final Conditions conditions
    private Map<String, Map> root
    private List<Map> options

    LiveDeclarative(LiveBuild live, StepRunner steps) {
        this.live = live
        this.steps = steps
        directives = new Directives(live)
        conditions = new Conditions(live)
    }

    void run(Closure body) {
        root = words(body)
        if (root.libraries || root.tools) { throw new Refused('libraries and tools') }
        options = described(root.options)
        steps.remember(options.collect { Values.symbol(it.name, it.arguments.findAll { !(it instanceof Closure) }) })
        live.declare(directives.described(root.parameters))
        Exception first = null
        boolean posted = false
        try {
            onAgent(root.agent, false) {
                inEnvironment(root.environment) {
                    inOptions(options) {
                        first = inSequence(stagesOf(root.stages), null, live.restart, null)
                        posted = true
                        first = postOfBuild(first)
                        if (first) { throw first }
                    }
                }
            }
        } catch (Exception failure) {
            first = first ?: failure
        }
        if (!posted) { first = postOfBuild(first) }
        if (first) { throw first }
    }

    private Map<String, Map> words(Closure body) { live.collect(body).collectEntries { [it.name, it] } }

    private List<Map> stagesOf(Map section) { live.collect(Directives.block(section)) }

    /** Options by name, with their arguments as a step would get them. */
    private List<Map> described(Map section) {
        section ? live.collect(Directives.block(section)).collect { [name: it.name, arguments: Directives.nested(it.arguments)] } : []
    }

    private Object onAgent(Map section, boolean inStage, boolean checksOut = true, Closure body) {
        if (!section) { return body.call() }
        def label = labelOf(section)
        if (label == null) { return body.call() }
        steps.run('node', [[label: label], { ->
            if (!checksOut || !live.hasScm || options*.name.contains('skipDefaultCheckout')) { return body.call() }
            steps.run('withEnv', [checkedOut(inStage), body])
        }])
    }

    /** The label; empty for any agent, null for none. */
    private String labelOf(Map section) {
        def inner = Directives.block(section)
        if (!inner) { return section.arguments[0] == 'none' ? null : '' }
        def kind = live.collect(inner)[0]
        if (kind.name == 'label') { return "${kind.arguments[0]}".toString() }
        if (kind.name != 'node') { throw new Refused("agent { $kind.name }: no agent of this double has Docker") }
        def settings = live.collect(Directives.block(kind)).collectEntries { [it.name, it.arguments[0]] }
        if (settings.keySet() != ['label'] as Set) { throw new Refused("agent { node { ${settings.keySet().join(', ')} } }") }
        "$settings.label".toString()
    }

    /** contracts/mb-a7: the implicit checkout, a stage of its own under the agent of the whole pipeline. */
    private List<String> checkedOut(boolean inStage) {
        def checkout = { -> steps.run('checkout', [live.variable('scm')]) }
        def made = inStage ? checkout() : steps.run('stage', ['Declarative: Checkout SCM', checkout])
        made.collect { name, value -> "$name=$value".toString() }
    }

    private Object inEnvironment(Map section, Closure body) {
        if (!section) { return body.call() }
        def block = Directives.block(section)
        inCredentials(live.secretsOf(block)) {
            def plain = live.readEnvironment { directives.evaluated(block) }.collect { name, value -> "$name=$value".toString() }
            plain ? steps.run('withEnv', [plain, body]) : body.call()
        }
    }

    /** quirks/cred-mask: `credentials('id')` binds what the id holds, as its type needs. */
    private Object inCredentials(Map<String, String> ids, Closure body) {
        if (!ids) { return body.call() }
        def known = live.effect('kinds', [ids: ids])
        steps.run('withCredentials', [known, body])
    }

    private Object inOptions(List<Map> given, Closure body) {
        def wrappers = given.findAll { Catalogue.STEPS[it.name]?.takesBlock }
        if (!wrappers) { return body.call() }
        steps.run(wrappers[0].name, wrappers[0].arguments + [{ -> inOptions(wrappers.drop(1), body) }])
    }

    /** Runs stages in order; after a failure the others are skipped. Returns the first failure. */
    private Exception inSequence(List<Map> stages, Exception before, String restart, Skip skip, boolean hasAgent = hasAgent(root, false)) {
        Exception first = before
        boolean waiting = restart != null
        stages.each { call ->
            def reason = skip
            if (waiting && "${call.arguments[0]}" == restart) {
                waiting = false
            } else if (waiting) {
                reason = Skip.restart(restart)
            }
            try {
                stage(call, first, reason, hasAgent)
            } catch (Exception failure) {
                first = first ?: failure
            }
        }
        first
    }

    private static boolean hasAgent(Map sections, boolean outer) {
        sections.agent ? sections.agent.arguments[0] != 'none' : outer
    }

    private void stage(Map call, Exception before, Skip skip, boolean outerAgent) {
        def name = "${call.arguments[0]}".toString()
        def sections = words(call.arguments[-1])
        if (sections.matrix) { throw new Refused('matrix') }
        if (sections.tools) { throw new Refused('tools') }
        def hasAgent = hasAgent(sections, outerAgent)
        steps.run('stage', [name, { ->
            Exception first = before
            def reason = skip ?: first ? (skip ?: Skip.failure()) : skipsUnstable() ? Skip.unstable() : null
            try {
                if (reason) {
                    skipped(name, sections, first, reason, hasAgent)
                } else {
                    reason = content(name, sections, hasAgent)
                }
            } catch (Exception failure) {
                first = first ?: failure
            }
            if (!reason && sections.parallel && sections.post) { first = post(sections.post, first, name, hasAgent) }
            if (first) { throw first }
        }])
    }

    private boolean skipsUnstable() {
        live.build.result == 'UNSTABLE' && options*.name.contains('skipStagesAfterUnstable')
    }

    /** Runs a stage as far as its `when` lets it; the reason if it does not. */
    private Skip content(String name, Map<String, Map> sections, boolean hasAgent) {
        def when = conditions.of(sections.when)
        def own = described(sections.options)
        def checksOut = !own*.name.contains('skipDefaultCheckout')
        if (when.passes('beforeOptions')) {
            inOptions(own) {
                if (when.passes('beforeInput')) {
                    afterInput(sections.input) {
                        if (sections.parallel) {
                            if (when.passes()) { inEnvironment(sections.environment) { branches(name, sections, hasAgent) } }
                        } else if (when.passes('beforeAgent')) {
                            onAgent(sections.agent, true, checksOut) {
                                if (when.passes()) { inEnvironment(sections.environment) { work(name, sections, hasAgent) } }
                            }
                        }
                    }
                }
            }
        }
        if (when.passed) { return null }
        def reason = Skip.condition()
        skipped(name, sections, null, reason, hasAgent)
        reason
    }

    private void work(String name, Map<String, Map> sections, boolean hasAgent) {
        Exception first = null
        if (sections.stages) {
            first = inSequence(stagesOf(sections.stages), null, null, null, hasAgent)
        } else {
            try {
                withAgent(hasAgent) { live.inContext(live.context, Directives.block(sections.steps)) }
            } catch (Exception failure) {
                first = failure
            }
        }
        if (sections.post) { first = post(sections.post, first, name, hasAgent) }
        if (first) { throw first }
    }

    private void branches(String name, Map<String, Map> sections, boolean hasAgent, Skip skip = null, Exception first = null) {
        Map map = stagesOf(sections.parallel).collectEntries { call ->
            ["${call.arguments[0]}".toString(), { -> stage(call, first, skip, hasAgent) }]
        }
        boolean failFast = sections.failFast ? sections.failFast.arguments[0] : options*.name.contains('parallelsAlwaysFailFast')
        steps.run('parallel', [failFast ? map + [failFast: true] : map])
    }

    private void skipped(String name, Map<String, Map> sections, Exception first, Skip reason, boolean hasAgent) {
        live.say("Stage \"$name\" skipped due to $reason.why")
        live.say('[Pipeline] getContext')
        if (reason.notExecuted) { live.stages.skip() }
        if (sections.parallel) { branches(name, sections, hasAgent, reason, first) }
        if (sections.stages) { inSequence(stagesOf(sections.stages), first, reason.restart, reason, hasAgent) }
    }

    /** quirks/agent-none-no-stage-agent. */
    private Object withAgent(boolean hasAgent, Closure body) {
        try {
            body.call()
        } catch (MissingContext missing) {
            if (hasAgent) { throw missing }
            steps.run('error', ['Attempted to execute a step that requires a node context while ‘agent none’ was specified. ' +
                'Be sure to specify your own ‘node { ... }’ blocks when using ‘agent none’.'])
        }
    }

    /** contracts/67h: what was answered becomes variables of the stage. */
    private Object afterInput(Map section, Closure body) {
        if (!section) { return body.call() }
        def fields = live.collect(Directives.block(section)).collectEntries { [it.name, it] }
        Map given = fields.findAll { it.key != 'parameters' }.collectEntries { name, call -> [name, Values.plain(call.arguments[0])] }
        def asked = directives.described(fields.parameters)
        if (asked) { given.parameters = asked.collect { [$symbol: it.type] + it } }
        def answered = steps.run('input', [given])
        def names = asked*.name + (given.submitterParameter ? [given.submitterParameter] : [])
        if (!names) { return body.call() }
        def values = answered instanceof Map ? answered : [(names[0]): answered]
        steps.run('withEnv', [values.collect { name, value -> "$name=$value".toString() }, body])
    }

    private Exception postOfBuild(Exception error) {
        if (!root.post || !conditions.satisfied(root.post, error, null)) { return error }
        Exception first = error
        try {
            steps.run('stage', ['Declarative: Post Actions', { -> first = runPost(root.post, error, null, hasAgent(root, false)) }])
        } catch (Exception failure) {
            first = first ?: failure
        }
        first
    }

    private Exception post(Map section, Exception error, String stage, boolean hasAgent) {
        if (!conditions.satisfied(section, error, stage)) { return error }
        live.say('Post stage')
        runPost(section, error, stage, hasAgent)
    }

    /** Each satisfied condition, in the order of the extensions; an error in one does not stop the others (quirks/post-failing-always). */
    private Exception runPost(Map section, Exception error, String stage, boolean hasAgent) {
        Exception first = error
        conditions.ordered(section).each { call ->
            def original = live.build.result
            if (!conditions.meets(call.name, first, stage)) { return }
            def logical = conditions.combined(first, stage)
            live.build.resetResult(logical)
            try {
                withAgent(hasAgent) { live.inContext(live.context, call.arguments[-1]) }
            } catch (Exception failure) {
                live.say("Error when executing $call.name post condition:")
                live.say("$failure")
                first = first ?: failure
            } finally {
                if (live.build.currentResult == logical && logical != original) { live.build.resetResult(original) }
            }
        }
        first
    }
}
