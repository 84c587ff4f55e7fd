// The scheduler: a job starts as soon as all it needs is done. This text is the same in every file; the rows are data.
@Field Map rows = [:]
@Field Map missing = [:]
@Field Map dependants = [:]
@Field List leftOut = []
def addRows(String table, List active) {
  def lists = ['needs', 'workflows', 'locks', 'secrets', 'env', 'reads', 'writes', 'names', 'commands', 'always']
  for (line in table.trim().split('\n')) {
    def cells = line.split(' \\| ', -1)
    def row = [name: plain(cells[0]), agent: plain(cells[1]), minutes: cells[2].toInteger(), attempts: cells[3].toInteger()]
    for (int i = 0; i < lists.size(); i++) { row[lists[i]] = items(cells[i + 4]) }
    def wanted = active.isEmpty()
    for (name in active) { if (row.workflows.contains(name)) { wanted = true } }
    if (wanted) { rows[row.name] = row; missing[row.name] = row.needs.size() }
  }
}
def items(String cell) { def found = []; if (cell != '-') { for (item in cell.split(',', -1)) { found << plain(item) } }; return found }
def plain(String text) { return text.replace('%7C', '|').replace('%2C', ',').replace('%0A', '\n').replace('%0D', '\r').replace('%2D', '-').replace('%25', '%') }
def runGraph() {
  for (row in rows.values()) { for (n in row.needs) { if (!dependants.containsKey(n)) { dependants[n] = [] }; dependants[n] << row.name } }
  launch(rows.keySet().findAll { missing[it] == 0 && !held.contains(it) }.toList())
}
def launch(List names) {
  def branches = [:]
  for (n in names) { def name = n; branches[name] = { runFrom(name) } }
  if (names.size() == 1) { runFrom(names[0]) } else if (names.size() > 1) { parallel(branches) }
}
def runFrom(String first) {
  def ready = [first]
  while (ready.size() == 1) {
    def name = ready[0]
    runJob(rows[name], 0)
    ready = []
    for (d in (dependants[name] ?: [])) { missing[d] = missing[d] - 1; if (missing[d] == 0 && !held.contains(d)) { ready << d } }
  }
  launch(ready)
}
def runJob(Map row, int ordinal) {
  if (leftOut.contains(row.name)) { stage(row.name) { echo('left out: the change does not touch it') }; return }
  stage(row.name) { withLocks(row.locks) { retry(count: row.attempts, conditions: [agent(), nonresumable()]) { onAgent(row.agent) { withEnv(row.env) {
    try {
      begin(row.reads)
      if (ordinal > 0) { milestone(ordinal: ordinal) }
      for (int i = 0; i < row.commands.size(); i++) { runCommand(row, i) }
    } finally {
      try { for (line in row.always) { command(line, row.minutes, row.secrets) } }
      finally { finish(row.writes) }
    }
  } } } } }
}
def runCommand(Map row, int i) {
  if (row.commands.size() == 1) { command(row.commands[0], row.minutes, row.secrets) }
  else { stage(row.names[i]) { command(row.commands[i], row.minutes, row.secrets) } }
}
def withLocks(List names, Closure body) {
  def others = []
  for (int i = 1; i < names.size(); i++) { others << [resource: names[i]] }
  if (names.isEmpty()) { body() } else { lock(resource: names[0], extra: others) { body() } }
}
