package recorder

/** The variable `env`: reads the environment at this place, writes for the rest of the build. */
class Environment {
    private final Recorder recorder

    Environment(Recorder recorder) { this.recorder = recorder }

    Object getProperty(String name) { recorder.environmentVariable(name) }

    void setProperty(String name, Object value) { recorder.globalEnv[name] = "$value".toString() }

    Object getAt(String name) { getProperty(name) }

    void putAt(String name, Object value) { setProperty(name, value) }

    Map<String, String> getEnvironment() { recorder.allEnvironment() }
}
