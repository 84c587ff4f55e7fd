package recorder

import groovy.json.JsonSlurper
import hudson.AbortException

/** What each step does to the recording, and what it gives back. */
class StepRunner {
    /** Words that build a value for a step's argument. */
    static final List<String> SYMBOLS = ['scmGit', 'string', 'usernamePassword', 'usernameColonPassword', 'file', 'sshUserPrivateKey',
        'certificate', 'choice', 'booleanParam', 'text', 'password', 'credentials', 'logRotator', 'cron', 'pollSCM', 'upstream',
        'pipelineTriggers', 'parameters', 'buildDiscarder', 'disableConcurrentBuilds', 'disableResume', 'durabilityHint',
        'preserveStashes', 'overrideIndexTriggers', 'rateLimitBuilds', 'agent', 'nonresumable', 'kubernetesAgent', 'cleanBeforeCheckout',
        'cloneOption', 'localBranch', 'submodule', 'lastSuccessful', 'skipDefaultCheckout', 'quietPeriod']

    protected static final List<String> NEEDS_NODE = ['sh', 'bat', 'pwsh', 'powershell', 'stash', 'unstash', 'junit', 'archiveArtifacts',
        'checkout', 'git', 'deleteDir', 'dir', 'readFile', 'writeFile', 'fileExists', 'cleanWs', 'ws', 'fingerprint', 'findFiles', 'pwd',
        'readYaml', 'writeYaml']
    private static final List<String> VARIABLE_KEYS = ['variable', 'usernameVariable', 'passwordVariable', 'keyFileVariable',
        'passphraseVariable']
    private static final int MOST_TRIES = 100

    private final Recorder recorder

    StepRunner(Recorder recorder) { this.recorder = recorder }

    Object run(String name, List arguments) {
        if (name == 'parallel') { return parallel(arguments) }
        if (name in ['print', 'println']) { return run('echo', arguments.collect { "$it".toString() }) }
        def model = Catalogue.STEPS[name]
        if (model == null) {
            if (name in SYMBOLS) { return Values.symbol(name, arguments) }
            throw new NoSuchMethodError("No such DSL method '$name' found among steps ${Catalogue.STEPS.keySet()}")
        }
        def body = arguments && arguments[-1] instanceof Closure ? arguments[-1] : null
        def given = Values.named(body ? arguments[0..<-1] : arguments, model)
        check(name, model, given, body)
        recorder.interleaver.pause()
        if (name != 'stage') { recorder.record(type: 'step', name: name, arguments: given) }
        body ? block(name, given, body) : answer(name, given)
    }

    protected void check(String name, Described model, Map given, Closure body) {
        if (model.takesBlock && body == null && name != 'lock') { Recorder.fail("There must be a body to invoke: $name") }
        def unknown = given.keySet() - model.types.keySet() - ['value', 'values']
        if (unknown) { throw new IllegalArgumentException("Unknown parameter(s) found for step '$name': ${unknown.join(',')}") }
        if (given.containsKey('values')) {
            throw new IllegalArgumentException("Expected named arguments but got ${given.values}")
        }
        if (name in NEEDS_NODE && recorder.context.node == null) {
            Recorder.fail(recorder.declarative ?
                'Attempted to execute a step that requires a node context while ‘agent none’ was specified.' :
                "Required context class hudson.FilePath is missing: $name outside node")
        }
    }

    protected Object answer(String name, Map given) {
        def main = "${given[Catalogue.STEPS[name].soleRequired()] ?: given.values().find() ?: ''}"
        def prepared = recorder.answer(name, main)
        if (prepared?.error != null) { Recorder.fail(prepared.error) }
        if (name == 'error') { Recorder.fail(given.message) }
        if (prepared != null) { return prepared.value }
        if (name == 'stash') { recorder.stashes << given.name }
        if (name == 'unstash' && !(given.name in recorder.stashes)) { Recorder.fail("No such saved stash ‘${given.name}’") }
        if (given.returnStatus) { return 0 }
        if (given.returnStdout || name == 'readFile') { return '' }
        if (name == 'readJSON' && given.text) { return new JsonSlurper().parseText(given.text) }
        defaults(name)
    }

    private static Object defaults(String name) {
        switch (name) {
            case 'isUnix': return true
            case 'fileExists': return false
            case 'pwd': return '/workspace'
            case ['checkout', 'git']: return [GIT_COMMIT: '0' * 40, GIT_BRANCH: 'origin/main']
            default: return null
        }
    }

    protected Object block(String name, Map given, Closure body) {
        def context = recorder.context
        switch (name) {
            case 'stage': return stage(given.name, body)
            case 'node': return recorder.inContext(context.onNode(given.label ?: 'any'), body)
            case 'withEnv': return recorder.inContext(context.plusEnv(variables(given.overrides)), body)
            case 'withCredentials': return withCredentials(given.bindings, body)
            case ['catchError', 'warnError']: return forgiving(name, given, body)
            case 'retry': return retry(given, body)
            case 'waitUntil': return waitUntil(given, body)
            default: return recorder.inContext(context.inBlock(name, given), body)
        }
    }

    Object stage(String name, Closure body) {
        recorder.inContext(recorder.context.inStage(name)) {
            recorder.record(type: 'stage', name: name)
            try {
                def value = CpsCall.run(body)
                recorder.record(type: 'stage-end', name: name, failed: false)
                return value
            } catch (Throwable failure) {
                recorder.record(type: 'stage-end', name: name, failed: true)
                throw failure
            }
        }
    }

    protected static Map<String, String> variables(List<String> overrides) {
        overrides.collectEntries { pair ->
            int at = pair.indexOf('=')
            if (at < 1) { throw new IllegalArgumentException("withEnv: not NAME=value: $pair") }
            [pair.substring(0, at), pair.substring(at + 1)]
        }
    }

    private Object withCredentials(List<Map> bindings, Closure body) {
        def names = bindings.collectMany { binding -> VARIABLE_KEYS.findResults { binding[it] } }
        def context = recorder.context.plusCredentials(bindings).plusEnv(names.collectEntries { [it, '****'] })
        recorder.inContext(context, body)
    }

    private Object forgiving(String name, Map given, Closure body) {
        try {
            recorder.inContext(recorder.context.inBlock(name, given), body)
        } catch (AbortException failure) {
            recorder.record(type: 'caught', name: name, message: failure.message)
        }
    }

    private Object retry(Map given, Closure body) {
        for (int attempt = 1; ; attempt++) {
            try {
                return recorder.inContext(recorder.context.inBlock('retry', given), body)
            } catch (AbortException failure) {
                if (attempt >= given.count) { throw failure }
            }
        }
    }

    private Object waitUntil(Map given, Closure body) {
        for (int tries = 0; tries < MOST_TRIES; tries++) {
            if (recorder.inContext(recorder.context.inBlock('waitUntil', given), body)) { return null }
        }
        Recorder.fail("waitUntil: not true after $MOST_TRIES tries")
    }

    protected Object parallel(List arguments) {
        def branches = arguments[0].findAll { it.value instanceof Closure }
        recorder.record(type: 'parallel', names: branches.keySet() as List)
        Map results = [:]
        recorder.branches(branches.collect { name, body -> { -> results[name] = CpsCall.run(body) } })
        results
    }
}
