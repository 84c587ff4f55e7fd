package doubles

import recorder.*

/** `when` and the conditions of `post`: pipeline-model-definition, when/impl and model/conditions. */
class Conditions {
    /** By the ordinals of their extensions. */
    private static final List<String> POST_ORDER = ['always', 'changed', 'fixed', 'regression', 'aborted', 'success', 'unsuccessful',
        'unstable', 'failure', 'notBuilt', 'cleanup']

    private final LiveBuild live

    Conditions(LiveBuild live) { this.live = live }

    When of(Map section) { new When(this, section ? live.collect(Directives.block(section)) : null) }

    /** Asked at several places, evaluated at the first that says so and, at the latest, at the last. */
    static class When {
        private final Conditions conditions
        private final List<Map> calls
        boolean passed

        When(Conditions conditions, List<Map> calls) {
            this.conditions = conditions
            this.calls = calls
            passed = calls == null
        }

        boolean passes(String place = null) {
            boolean now = place == null || calls?.any { it.name == place && it.arguments[0] == true }
            if (passed || !now) { return true }
            passed = calls.findAll { !it.name.startsWith('before') }.every { conditions.holds(it) }
        }
    }

    boolean holds(Map call) {
        def inner = Directives.block(call)
        def given = inner ? [:] : Values.named(call.arguments, Catalogue.WHEN[call.name])
        switch (call.name) {
            case 'expression': return live.inContext(live.context, inner) as boolean
            case 'allOf': return live.collect(inner).every { holds(it) }
            case 'anyOf': return live.collect(inner).any { holds(it) }
            case 'not': return !holds(live.collect(inner)[0])
            case 'branch': return matches(given, given.pattern, live.environmentVariable('BRANCH_NAME'))
            case 'changeRequest': return changeRequest(given)
            case 'environment':
                def value = live.environmentVariable(given.name) ?: ''
                return given.ignoreCase ? value.equalsIgnoreCase(given.value) : value == given.value
            case 'equals': return call.arguments[0].expected == call.arguments[0].actual
            case 'buildingTag': return live.environmentVariable('TAG_NAME') != null
            case 'isRestartedRun': return live.restart != null
            case 'triggeredBy': return live.effect('triggered-by', [cause: given.cause])
            case ['changelog', 'changeset']: return changed()
            default: throw new Refused("when { $call.name }")
        }
    }

    /** quirks/when-expressions: the first build has no change log; of later ones this double knows none. */
    private boolean changed() {
        if (live.build.number > 1) { throw new Refused('when { changelog / changeset } after the first build') }
        live.say('[Pipeline] echo')
        live.say('Warning, empty changelog. Probably because this is the first build.')
        false
    }

    private boolean changeRequest(Map given) {
        if (live.environmentVariable('CHANGE_ID') == null) { return false }
        def names = [id: 'CHANGE_ID', target: 'CHANGE_TARGET', branch: 'CHANGE_BRANCH']
        (given.keySet() - ['comparator']).every { field ->
            if (!names[field]) { throw new Refused("changeRequest($field: ...)") }
            given.comparator ? matches(given, given[field], live.environmentVariable(names[field])) :
                live.environmentVariable(names[field]) == given[field]
        }
    }

    private static boolean matches(Map given, String pattern, String text) {
        if (!text || !pattern) { return !text && !pattern }
        switch ((given.comparator ?: 'GLOB').toUpperCase()) {
            case 'EQUALS': return text == pattern
            case 'REGEXP': return text.matches(pattern)
            default: return antPath(pattern.split('/') as List, text.split('/') as List)
        }
    }

    /** Ant's path patterns: `*` and `?` within one name, `**` for any number of names. Capital letters don't count for branches. */
    static boolean antPath(List<String> pattern, List<String> names) {
        if (!pattern) { return !names }
        if (pattern[0] == '**') { return antPath(pattern.tail(), names) || names && antPath(pattern, names.tail()) }
        names && names[0] ==~ '(?i)' + pattern[0].replaceAll(/[^*?]+/) { '\\Q' + it + '\\E' }.replace('*', '.*').replace('?', '.') &&
            antPath(pattern.tail(), names.tail())
    }

    List<Map> ordered(Map section) {
        live.collect(Directives.block(section)).sort { POST_ORDER.indexOf(it.name) }
    }

    boolean satisfied(Map section, Exception error, String stage) { ordered(section).any { meets(it.name, error, stage) } }

    boolean meets(String name, Exception error, String stage) {
        def result = combined(error, stage)
        def previous = live.build.previous
        switch (name) {
            case ['always', 'cleanup']: return true
            case ['success', 'unstable', 'failure', 'aborted']: return result == name.toUpperCase()
            case 'notBuilt': return result == 'NOT_BUILT'
            case 'unsuccessful': return result != 'SUCCESS'
            case 'changed': return previous == null || combined(error, null) != previous
            case 'fixed': return previous in ['FAILURE', 'UNSTABLE'] && combined(error, null) == 'SUCCESS'
            case 'regression': return previous != null && previous != CurrentBuild.worst([previous, combined(error, null)])
        }
    }

    /** BuildCondition.getCombinedResult: the build's result so far, and the error's or the stage's own warning. */
    String combined(Exception error, String stage) {
        def own = error ? LiveBuild.resultOf(error) : stage ? live.stages.warningHere() : null
        CurrentBuild.worst([live.build.currentResult, own])
    }
}
