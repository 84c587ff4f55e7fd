package recorder

/** Where a step stands: the stages around it, its agent, and what was bound for it. Never changed, only derived from. */
class Context {
    List<String> path = []
    String node
    /** 'steps', or for example 'post/always'. */
    String section = 'steps'
    Map<String, String> env = [:]
    List<Map> credentials = []
    List<Map> within = []

    Context inStage(String name) { with(path: path + [name]) }

    Context onNode(String label) { with(node: label) }

    Context inSection(String name) { with(section: name) }

    Context plusEnv(Map<String, String> variables) { with(env: env + variables) }

    Context plusCredentials(List<Map> bound) { with(credentials: credentials + bound) }

    Context inBlock(String step, Map arguments) { with(within: within + [[name: step, arguments: arguments]]) }

    Map describe() {
        [path: path, node: node, section: section, env: env, credentials: credentials, within: within]
    }

    protected Context with(Map changes) { getClass().newInstance(describe() + changes) }
}
