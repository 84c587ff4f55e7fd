package doubles

/** Stands for the NoSuchMethodError of an unknown step, which Jenkins treats as any failure (quirks/unknown-step). */
class NoSuchStep extends Exception {
    NoSuchStep(String message) { super(message) }

    @Override
    String toString() { "java.lang.NoSuchMethodError: $message" }
}
