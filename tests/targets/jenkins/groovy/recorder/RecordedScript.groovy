package recorder

/** The base class of every Jenkinsfile that is run: whatever Groovy can't resolve goes to the recorder. */
abstract class RecordedScript extends Script {
    /** Not called `run` or `record`: no Jenkinsfile may hit upon the name by chance. */
    Recorder __recorder

    Object methodMissing(String name, Object arguments) { __recorder.call(name - ShadowedWords.PREFIX, arguments as List) }

    @Override
    Object getProperty(String name) {
        if (name.startsWith('__') || getMetaClass().hasProperty(this, name)) { return getMetaClass().getProperty(this, name) }
        if (getBinding().hasVariable(name)) { return getBinding().getVariable(name) }
        __recorder.variable(name)
    }

    @Override
    void setProperty(String name, Object value) {
        if (getMetaClass().hasProperty(this, name)) {
            getMetaClass().setProperty(this, name, value)
        } else if (!__recorder.assign(name, value)) {
            getBinding().setVariable(name, value)
        }
    }
}
