// `npm run mutants`: does the simulation catch bugs? Each deliberate one-line bug is put into a
// copy of the tree, and the simulation must fail. The list is the one in CONTRIBUTING.md. It takes
// about half a minute a bug, so it is no part of `npm test`. `npm run mutants -- replay` tries
// those whose name holds the word.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at } from './lib/paths.mjs';

const step = 'src/proto/session/step.rs';
const receive = 'src/proto/session/receive.rs';
const session = 'src/proto/session/mod.rs';
const wish = 'src/proto/session/step/wish.rs';
const retries = 'src/proto/session/retries.rs';
const scan = 'src/proto/wire/scan.rs';
const log = 'hub/src/hub/log.rs';
const client = 'hub/src/hub/client.rs';
const position = 'hub/src/hub/position.rs';
const trimmed = 'hub/src/hub/trimmed.rs';

/** What is wrong, where, and the line that makes it so. */
const mutants = [
  ['a delivered update does not move the cursor', receive, 'if !frame.id.is_empty() {', 'if false {'],
  ['duplicates are delivered', receive, 'if self.had(id) {', 'if false {'],
  ['a hello with a gap is not announced', receive, 'if gap != Gap::None {', 'if false {'],
  [
    'a hello does not move the cursor',
    receive,
    'if !repeats {\n            self.cursor.set(id);',
    'if !repeats {\n            let _ = id;',
  ],
  [
    'a hub that repeats is taken for one that lost something',
    receive,
    'let had = self.had(hello.after);',
    'let had = self.cursor.at() == Some(hello.after);',
  ],
  ['a resync in mid-stream is not announced', receive, 'self.resync(resync.gap, resync.types);', ''],
  ['a folded update is not unfolded', receive, 'let frame = unwrap(frame);', ''],
  ['a refused token is shown again', step, 'self.token = TokenState::Absent(TokenReason::Rejected);', ''],
  [
    'a silent stream is not noticed',
    step,
    '(Timer::Silence, State::Live(_)) if self.stream.watchdog.is_armed() => self.silent(),',
    '(Timer::Silence, State::Live(_)) if self.stream.watchdog.is_armed() => {}',
  ],
  [
    'failures are forgotten when a stream opens',
    step,
    'self.retries.opened();\n        self.was_open',
    'self.retries.opened();\n        self.retries.stable();\n        self.was_open',
  ],
  ["the browser's own retries are not counted", retries, 'self.native += 1;', ''],
  [
    'late events of a closed stream are believed',
    session,
    'self.state == State::Live(ticket) || self.draining == Some(ticket)',
    'matches!(self.state, State::Live(_)) || self.draining == Some(ticket)',
  ],
  [
    'an unanswered request is waited for',
    step,
    'self.timers.set(Timer::Answer, self.now.plus(u64::from(self.config.connect_timeout)));\n        self.state',
    'self.state',
  ],
  [
    'an unanswered token question is waited for',
    step,
    'self.timers.set(Timer::Answer, self.now.plus(u64::from(self.config.token_timeout)));',
    '',
  ],
  ['a question is not forgotten when its stream is given up', step, 'self.emit(Output::CancelToken(ticket));', ''],
  [
    'a stream is not closed when it is given up',
    step,
    'if let State::Connecting(ticket) | State::Live(ticket) = self.state {\n            self.emit(Output::Close(ticket));',
    'if let State::Connecting(_) | State::Live(_) = self.state {',
  ],
  [
    'the old stream is kept when the next one is open',
    step,
    'self.close_draining();\n        self.stream = Stream::new',
    'self.stream = Stream::new',
  ],
  [
    'a bye ends what still arrives, and the old stream is forgotten open',
    step,
    'self.draining = Some(ticket);',
    'let _ = ticket;',
  ],
  [
    'a pause never ends',
    step,
    'State::Paused => {\n                self.connect_reason = ConnectReason::Wake;\n                self.state = State::Authorizing;',
    'State::Paused => {\n                self.state = State::Paused; return;',
  ],
  [
    'the wait before a retry has no alarm',
    step,
    'let due = self.retries.after_failure(self.now, wait);\n        self.timers.set(Timer::Retry, due);',
    'let _ = self.retries.after_failure(self.now, wait);',
  ],
  [
    'delays have no floor',
    'src/proto/backoff.rs',
    'floor + rng.below(top.saturating_sub(floor).saturating_add(1))',
    'rng.below(floor / 8)',
  ],
  [
    'an unfinished event moves the cursor',
    scan,
    'self.has_id = true;',
    'self.has_id = true; let start = self.held.len(); self.held.extend_from_slice(&self.id); self.marks.push(Mark { start, id: self.id.len(), ..NOTHING }); self.begun = self.held.len();',
  ],
  [
    'of two whole events in a chunk the second has the id of the first',
    'src/proto/wire/decode.rs',
    'id = event.id.map(part).or(id);',
    'id = id.or(event.id.map(part));',
  ],
  [
    'replay begins one too late',
    log,
    'let first = seq.saturating_add(1).max(self.first);',
    'let first = seq.saturating_add(2).max(self.first);',
  ],
  [
    'replay begins one too early',
    log,
    'let first = seq.saturating_add(1).max(self.first);',
    'let first = seq.max(self.first);',
  ],
  ['a cursor of another life of the log is honoured', log, 'if id.epoch != self.epoch {', 'if false {'],
  [
    'a log trimmed under a slow reader is not noticed',
    position,
    'let trimmed = || log.lost(self.at, |route| subscription.may_see(route)).then_some(Gap::Overflow);',
    'let trimmed = || log.lost(self.at, |route| subscription.may_see(route)).then_some(Gap::Overflow).filter(|_| false);',
  ],
  ['everybody sees everything', client, 'if !self.subscription.wants(entry) {', 'if false {'],
  [
    'hello names the head, not the place before what follows',
    client,
    'after: log.id(self.position.at()),',
    'after: log.id(head),',
  ],
  [
    'every trimmed update is a loss to everybody',
    trimmed,
    'cursor < self.unknown || self.by_seq.range(cursor + 1..).any(|(_, topic)| sees(topic))',
    'cursor < self.unknown || self.by_seq.range(cursor + 1..).any(|(_, topic)| { let _ = sees(topic); true })',
  ],
  ['the token of the former user is used', wish, 'self.token = TokenState::Absent(TokenReason::Initial);', ''],
  [
    'the stream of the former user goes on',
    wish,
    'self.close_and_forget_retries();\n        self.token = TokenState::Absent(TokenReason::Initial);',
    'self.token = TokenState::Absent(TokenReason::Initial);',
  ],
  ['what was trimmed is forgotten', trimmed, 'self.by_seq.insert(seq, topic);', 'let _ = (seq, topic);'],
];

const seeds = process.env.SIM_SEEDS ?? '400';
const tree = at('target', 'mutants', 'tree');
const env = {
  ...process.env,
  CARGO_TARGET_DIR: at('target', 'mutants', 'target'),
  SIM_SEEDS: seeds,
  RUST_BACKTRACE: '0',
};
const simulate = (...args) =>
  spawnSync('cargo', ['test', '--offline', '--test', 'sim', ...args], { cwd: tree, env, encoding: 'utf8' });

rmSync(tree, { recursive: true, force: true });
mkdirSync(tree, { recursive: true });
for (const part of [
  'Cargo.toml',
  'Cargo.lock',
  'clippy.toml',
  'README.md',
  'src',
  'tests',
  'wasm/client',
  'wasm/eventsource',
  'examples/progress-api',
  'examples/server',
  'hub',
  'server',
]) {
  cpSync(at(part), join(tree, part), { recursive: true });
}
const clean = simulate();
if (clean.status !== 0) throw new Error(`the simulation fails without any bug:\n${clean.stdout}\n${clean.stderr}`);

let survived = 0;
const word = process.argv[2] ?? '';
const chosen = mutants.filter(([name]) => name.includes(word));
for (const [name, file, find, replace] of chosen) {
  const path = join(tree, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`${file} does not hold exactly once: ${find}`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  const built = simulate('--no-run');
  if (built.status !== 0) throw new Error(`"${name}" does not compile:\n${built.stderr}`);
  const run = simulate();
  const how = /seed \d+: .*/.exec(`${run.stdout}${run.stderr}`)?.[0] ?? 'panicked';
  console.log(run.status === 0 ? `SURVIVED  ${name}` : `caught    ${name}\n            ${how}`);
  if (run.status === 0) survived += 1;
  writeFileSync(path, source);
}
console.log(`${chosen.length - survived} of ${chosen.length} bugs caught in ${seeds} seeds`);
process.exitCode = survived === 0 ? 0 : 1;
