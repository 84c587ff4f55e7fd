package doubles

import hudson.AbortException
import java.util.concurrent.TimeUnit
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException
import recorder.*

/** Steps with a body: what they do before, around and after it, and what the console says of it. */
class Blocks {
    private final LiveBuild live

    Blocks(LiveBuild live) { this.live = live }

    Object run(String name, Map given, Closure body) {
        try {
            switch (name) {
                case 'stage': return stage(given.name, body)
                case 'node': return node(given, body)
                case 'dir': return dir(given, body)
                case 'withEnv': return inside(live.context.plusEnv(StepRunner.variables(given.overrides)), body)
                case 'withCredentials': return withCredentials(given, body)
                case 'timeout': return timeout(given, body)
                case 'retry': return retry(given, body)
                case 'lock': return lock(given, body)
                case 'catchError': return forgiving(given, body)
                case ['script', 'timestamps']: return inside(live.context, body)
                default: throw new Refused("the step '$name' { ... }: no recording shows what it does")
            }
        } finally {
            live.say("[Pipeline] // $name")
        }
    }

    private Object inside(LiveContext context, Closure body, String label = null) {
        live.say(label == null ? '[Pipeline] {' : "[Pipeline] { ($label)")
        try {
            live.inContext(context, body)
        } finally {
            live.say('[Pipeline] }')
        }
    }

    Object stage(String name, Closure body) {
        live.inContext(live.context.inStage(name)) {
            live.stages.around { inside(live.context, body, name) }
        }
    }

    /** quirks/parallel-workspaces, quirks/agent-label-missing: waits for an executor, for ever if need be. */
    private Object node(Map given, Closure body) {
        def allocation = live.effect('node', [label: given.label ?: ''])
        try {
            inside(live.context.on(allocation), body)
        } finally {
            live.effect('free-node', [allocation: allocation.handle])
        }
    }

    /** manual: Pipeline: Basic Steps, dir. */
    private Object dir(Map given, Closure body) {
        def folder = new File(live.context.folder).toPath().resolve(given.path).normalize().toString()
        live.say("Running in $folder")
        inside(live.context.inFolder(folder), body)
    }

    /** quirks/cred-mask; manual: Credentials Binding. */
    private Object withCredentials(Map given, Closure body) {
        if (!given.bindings) { return inside(live.context, body) }
        def binding = live.effect('bind', [bindings: given.bindings])
        live.say("Masking supported pattern matches of ${binding.masked.collect { '$' + it }.join(' or ')}")
        try {
            inside(live.context.bound(binding), body)
        } finally {
            live.effect('unbind', [handle: binding.handle])
        }
    }

    /** quirks/options-on-stage, quirks/timeout-0. What it ends may be tried again by a `retry` around it. */
    private Object timeout(Map given, Closure body) {
        if (given.activity) { throw new Refused('timeout(activity: true)') }
        def millis = TimeUnit.valueOf(given.unit ?: 'MINUTES').toMillis(given.time as long)
        def scope = live.effect('open-scope', [millis: millis])
        try {
            return inside(live.context.inScope(scope), body)
        } catch (FlowInterruptedException interruption) {
            if (interruption.scope == scope) { interruption.actualInterruption = false }
            throw interruption
        } finally {
            live.effect('close-scope', [scope: scope])
        }
    }

    /** quirks/retry-option-stage; conditions: workflow-basic-steps, RetryStepExecution, and "Pipeline: retrying on agent errors". */
    private Object retry(Map given, Closure body) {
        for (int left = given.count - 1; ; left--) {
            try {
                return inside(live.context, body)
            } catch (Exception failure) {
                if (left <= 0 || !retried(failure, given.conditions)) { throw failure }
                live.say(failure instanceof AbortException ? "ERROR: $failure.message" : failure.message)
                live.say('Retrying')
            }
        }
    }

    private static boolean retried(Exception failure, List<Map> conditions) {
        if (!conditions) { return !(failure instanceof FlowInterruptedException) || !failure.actualInterruption }
        conditions.any { condition ->
            switch (condition.$symbol) {
                case 'agent': return failure instanceof MissingContext || failure instanceof FlowInterruptedException && failure.agentLost
                case 'nonresumable': return false  // only after a restart of the controller, which this double has not
                default: throw new Refused("retry(conditions: [${condition.$symbol}()])")
            }
        }
    }

    /** proved/levels.Jenkinsfile; `extra`: manual: Lockable Resources. */
    private Object lock(Map given, Closure body) {
        def unknown = given.keySet() - ['resource', 'extra']
        if (unknown) { throw new Refused("lock(${unknown.join(', ')})") }
        def names = [given.resource] + (given.extra ?: [])*.resource
        live.effect('lock', [names: names])
        try {
            inside(live.context, body)
        } finally {
            live.effect('unlock', [names: names])
        }
    }

    /** quirks/catchError. */
    private Object forgiving(Map given, Closure body) {
        try {
            return inside(live.context, body)
        } catch (AbortException failure) {
            if (given.message) { live.say(given.message) }
            live.say("ERROR: $failure.message")
            def result = given.buildResult ?: 'FAILURE'
            if (result != 'SUCCESS') {
                live.say("Setting overall build result to $result")
                live.build.result = result
            }
            live.stages.warn(given.stageResult ?: 'SUCCESS')
            return null
        }
    }
}
