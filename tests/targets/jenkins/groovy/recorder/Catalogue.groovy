package recorder

import java.util.concurrent.TimeUnit

/**
 * What a Jenkins with the plugins of pipegen's kit offers: directives, their arguments and types.
 *
 * Names and lists are those a real controller reported (core 2.579, 62 plugins). A step that is not listed is accepted
 * by the validator, as by the real one, and refused when the file runs.
 */
class Catalogue {
    static final List<String> AGENTS = ['any', 'docker', 'dockerfile', 'label', 'none']

    static final Map<String, Described> AGENT_TYPES = [
        label     : described([], label: String, customWorkspace: String, retries: int),
        node      : described(['label'], label: String, customWorkspace: String, retries: int),
        docker    : described(['image'], image: String, label: String, args: String, alwaysPull: boolean, customWorkspace: String,
            registryUrl: String, registryCredentialsId: String, reuseNode: boolean, retries: int),
        dockerfile: described([], filename: String, dir: String, label: String, additionalBuildArgs: String, args: String,
            customWorkspace: String, registryUrl: String, registryCredentialsId: String, reuseNode: boolean, retries: int),
    ]

    static final List<String> POST_CONDITIONS = ['always', 'changed', 'fixed', 'regression', 'aborted', 'success', 'unsuccessful',
                                                 'unstable', 'failure', 'notBuilt', 'cleanup']

    static final Map<String, Described> TRIGGERS = [
        upstream: described(['upstreamProjects'], upstreamProjects: String, threshold: Object),
        cron    : described(['spec'], spec: String),
        pollSCM : described(['scmpoll_spec'], scmpoll_spec: String, ignorePostCommitHooks: boolean),
    ]

    static final Map<String, Described> PARAMETERS = [
        booleanParam: described(['name'], name: String, defaultValue: boolean, description: String),
        choice      : described(['name'], name: String, choices: Object, description: String),
        credentials : described(['name'], name: String, defaultValue: String, credentialType: String, required: boolean, description: String),
        file        : described(['name'], name: String, description: String),
        text        : described(['name'], name: String, defaultValue: String, description: String, trim: boolean),
        password    : described(['name'], name: String, defaultValue: String, defaultValueAsSecret: Object, description: String),
        run         : described(['name', 'projectName'], name: String, projectName: String, description: String, filter: String),
        string      : described(['name'], name: String, defaultValue: String, description: String, trim: boolean),
    ]

    static final List<String> TOOLS = ['dockerTool', 'git', 'jdk', 'jgit', 'jgitapache', 'maven']
    /** The only tool that exists without being configured: name by type. */
    static final Map<String, String> INSTALLED_TOOLS = [git: 'Default']

    static final Map<String, Described> WHEN = [
        allOf         : described([]), anyOf: described([]),
        branch        : described(['pattern'], pattern: String, comparator: String),
        buildingTag   : described([]),
        changeRequest : described([], id: String, target: String, branch: String, fork: String, url: String, title: String,
            author: String, authorDisplayName: String, authorEmail: String, comparator: String),
        changelog     : described(['pattern'], pattern: String),
        changeset     : described(['pattern'], pattern: String, caseSensitive: boolean, comparator: String),
        environment   : described(['name', 'value'], name: String, value: String, ignoreCase: boolean),
        equals        : described(['expected', 'actual'], expected: Object, actual: Object),
        expression    : described([]),
        isRestartedRun: described([]),
        not           : described([]),
        tag           : described(['pattern'], pattern: String, comparator: String),
        triggeredBy   : described(['cause'], cause: String, detail: String),
    ]
    /** Conditions that hold others, with their number; -1 for one or more. */
    static final Map<String, Integer> NESTING_CONDITIONS = [allOf: -1, anyOf: -1, not: 1]

    static final List<String> STAGE_OPTIONS = ['ansiColor', 'catchError', 'checkoutToSubdirectory', 'hideFromView', 'lock', 'retry',
        'script', 'skipDefaultCheckout', 'throttle', 'timeout', 'timestamps', 'waitUntil', 'warnError', 'withChecks', 'withContext',
        'withCredentials', 'withEnv', 'wrap', 'ws']
    static final List<String> OPTIONS = (STAGE_OPTIONS + ['authorizationMatrix', 'buildDiscarder', 'disableConcurrentBuilds',
        'disableRestartFromStage', 'disableResume', 'durabilityHint', 'newContainerPerStage', 'overrideIndexTriggers',
        'parallelsAlwaysFailFast', 'preserveStashes', 'quietPeriod', 'rateLimitBuilds', 'skipStagesAfterUnstable',
        'throttleJobProperty']).sort()

    /** Options and what stands in their arguments; those that are steps are looked up in STEPS. */
    static final Map<String, Described> METHODS = [
        buildDiscarder         : described(['strategy'], strategy: Object),
        logRotator             : described([], daysToKeepStr: String, numToKeepStr: String, artifactDaysToKeepStr: String,
            artifactNumToKeepStr: String, removeLastBuild: boolean),
        checkoutToSubdirectory : described(['subdirectory'], subdirectory: String),
        disableConcurrentBuilds: described([], abortPrevious: boolean),
        disableRestartFromStage: described([]),
        disableResume          : described([]),
        durabilityHint         : described(['hint'], hint: Object),
        newContainerPerStage   : described(['newContainerPerStage'], newContainerPerStage: Boolean),
        overrideIndexTriggers  : described(['enableTriggers'], enableTriggers: boolean),
        parallelsAlwaysFailFast: described(['parallelsAlwaysFailFast'], parallelsAlwaysFailFast: Boolean),
        preserveStashes        : described([], buildCount: int),
        quietPeriod            : described(['quietPeriod'], quietPeriod: int),
        rateLimitBuilds        : described(['throttle'], throttle: Object),
        skipDefaultCheckout    : described(['skipDefaultCheckout'], skipDefaultCheckout: Boolean),
        skipStagesAfterUnstable: described(['skipStagesAfterUnstable'], skipStagesAfterUnstable: Boolean),
    ]

    static final Map<String, Described> STEPS = [
        ansiColor       : described(['colorMapName'], colorMapName: String).block(),
        archiveArtifacts: described(['artifacts'], artifacts: String, allowEmptyArchive: boolean, caseSensitive: boolean,
            defaultExcludes: boolean, excludes: String, fingerprint: boolean, followSymlinks: boolean, onlyIfSuccessful: boolean),
        bat             : shell(),
        build           : described(['job'], job: String, parameters: List, propagate: boolean, quietPeriod: Integer, wait: boolean,
            waitForStart: boolean),
        catchError      : described([], buildResult: String, catchInterruptions: boolean, message: String, stageResult: String).block(),
        checkout        : described(['scm'], scm: Object, changelog: boolean, poll: boolean),
        cleanWs         : described([], cleanWhenAborted: boolean, cleanWhenFailure: boolean, cleanWhenNotBuilt: boolean,
            cleanWhenSuccess: boolean, cleanWhenUnstable: boolean, cleanupMatrixParent: boolean, deleteDirs: boolean,
            disableDeferredWipeout: boolean, externalDelete: String, notFailBuild: boolean, patterns: List, skipWhenFailed: boolean),
        deleteDir       : described([]),
        dir             : described(['path'], path: String).block(),
        echo            : described(['message'], message: String),
        error           : described(['message'], message: String),
        fileExists      : described(['file'], file: String),
        findFiles       : described([], glob: String, excludes: String),
        fingerprint     : described(['targets'], targets: String, caseSensitive: boolean, defaultExcludes: boolean, excludes: String),
        git             : described(['url'], url: String, branch: String, changelog: boolean, credentialsId: String, poll: boolean),
        hideFromView    : described([]).block(),
        input           : described(['message'], message: String, cancel: String, id: String, ok: String, parameters: List,
            submitter: String, submitterParameter: String),
        isUnix          : described([]),
        junit           : described(['testResults'], testResults: String, allowEmptyResults: boolean, checksName: String,
            healthScaleFactor: double, keepLongStdio: boolean, keepProperties: boolean, keepTestNames: boolean,
            skipMarkingBuildUnstable: boolean, skipOldReports: boolean, skipPublishingChecks: boolean, stdioRetention: String,
            testDataPublishers: List),
        library         : described(['identifier'], identifier: String, changelog: Boolean, retriever: Object),
        load            : described(['path'], path: String),
        lock            : described(['resource'], resource: String, extra: List, inversePrecedence: boolean, label: String, priority: int,
            quantity: int, reason: String, resourceSelectStrategy: String, skipIfLocked: boolean, variable: String).block(),
        mail            : described(['subject', 'body'], subject: String, body: String, bcc: String, cc: String, charset: String,
            from: String, mimeType: String, replyTo: String, to: String),
        milestone       : described(['ordinal'], ordinal: Integer, label: String, unsafe: boolean),
        node            : described([], label: String).block(),
        parallel        : null,
        powershell      : shell(),
        properties      : described(['properties'], properties: List),
        pwd             : described([], tmp: boolean),
        pwsh            : shell(),
        readFile        : described(['file'], file: String, encoding: String),
        readJSON        : described([], file: String, text: String, returnPojo: boolean),
        readYaml        : described([], file: String, text: String),
        retry           : described(['count'], count: int, conditions: List).block(),
        script          : described([]).block(),
        sh              : shell(),
        sleep           : described(['time'], time: int, unit: TimeUnit),
        stage           : described(['name'], name: String, concurrency: Integer).block(),
        stash           : described(['name'], name: String, allowEmpty: boolean, excludes: String, includes: String,
            useDefaultExcludes: boolean),
        throttle        : described(['categories'], categories: List).block(),
        timeout         : described(['time'], time: int, activity: boolean, unit: TimeUnit).block(),
        timestamps      : described([]).block(),
        tool            : described(['name'], name: String, type: String),
        unstable        : described(['message'], message: String),
        unstash         : described(['name'], name: String),
        waitUntil       : described([], initialRecurrencePeriod: long, quiet: boolean).block(),
        warnError       : described(['message'], message: String, catchInterruptions: boolean).block(),
        withCredentials : described(['bindings'], bindings: List).block(),
        withEnv         : described(['overrides'], overrides: List).block(),
        writeFile       : described(['file', 'text'], file: String, text: String, encoding: String),
        writeJSON       : described([], file: String, json: Object, pretty: int, returnText: boolean),
        writeYaml       : described([], file: String, data: Object, datas: Object, charset: String, overwrite: boolean, returnText: boolean),
        ws              : described(['dir'], dir: String).block(),
    ]

    /** Steps that a Declarative block must not hold, with the linter's reason. */
    static final Map<String, String> BLOCKED_STEPS = [
        stage     : 'The stage step cannot be used in Declarative Pipelines',
        properties: 'The properties step cannot be used in Declarative Pipelines',
        parallel  : 'The parallel step can only be used as the only top-level step in a stage\'s step block',
    ]
    static final Map<String, String> BLOCKED_METHODS =
        BLOCKED_STEPS + [node: 'The node step cannot be called as an argument to a method in Declarative Pipelines']

    private static Described described(Map<String, Class> types = [:], List<String> required) {
        new Described(types: types, required: required)
    }

    private static Described shell() {
        described(['script'], script: String, encoding: String, label: String, returnStatus: boolean, returnStdout: boolean)
    }
}
