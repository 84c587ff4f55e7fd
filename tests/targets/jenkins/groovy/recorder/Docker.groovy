package recorder

/** The variable `docker`, as far as `docker.image('x').inside('arguments') { ... }`. */
class Docker {
    private final Recorder recorder

    Docker(Recorder recorder) { this.recorder = recorder }

    Image image(String name) { new Image(recorder: recorder, name: name) }

    static class Image {
        Recorder recorder
        String name

        Object inside(String arguments = '', Closure body) {
            if (recorder.context.node == null) { Recorder.fail('Required context class hudson.FilePath is missing: docker outside node') }
            recorder.inContext(recorder.context.inBlock('docker', [image: name, args: arguments]), body)
        }
    }
}
