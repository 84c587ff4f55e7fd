package doubles

import recorder.Context

/** A context on a real agent. Never changed, only derived from. */
class LiveContext extends Context {
    /** The allocation of an executor, as the other process described it; null without `node`. */
    Map allocation
    String folder
    /** Handles of the bound credentials. */
    List<String> bindings = []
    /** What can interrupt this place: the build, time-outs, branches that fail fast. */
    List<String> scopes = ['build']

    LiveContext on(Map allocation) { with(allocation: allocation, folder: allocation.workspace, node: allocation.name) }

    LiveContext inFolder(String path) { with(folder: path) }

    LiveContext bound(Map binding) { with(bindings: bindings + [binding.handle], env: env + binding.env) }

    LiveContext inScope(String scope) { with(scopes: scopes + [scope]) }

    @Override
    Map describe() { super.describe() + [allocation: allocation, folder: folder, bindings: bindings, scopes: scopes] }

    /** What the other process must know to do a step here. */
    Map place(Map<String, String> allEnvironment) {
        [path: path, allocation: allocation?.handle, folder: folder, bindings: bindings, scopes: scopes, env: allEnvironment]
    }
}
