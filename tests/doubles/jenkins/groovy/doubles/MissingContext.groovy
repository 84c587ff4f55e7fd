package doubles

/** Stands for Jenkins' MissingContextVariableException: a step that needs an agent, without one. */
class MissingContext extends Exception {
    MissingContext(String step) {
        super('Required context class hudson.FilePath is missing\n' +
            "Perhaps you forgot to surround the $step step with a step that provides this, such as: node")
    }
}
