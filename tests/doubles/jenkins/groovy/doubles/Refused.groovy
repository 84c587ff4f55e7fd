package doubles

/** The file asks for something of which neither a recording nor a manual says how Jenkins does it: no Jenkinsfile can catch this. */
class Refused extends Error {
    Refused(String message) { super(message) }
}
