#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=100 --no-allocation-site-pretenuring
// Streams leave buffers behind that only a collection of young objects frees: a small space for those keeps memory low.
// Garbage of many publishes at a time gets old while they wait for the disk: by itself V8 lets it become four times what
// is in use, here as much as that.
// Where few requests come, each outlives a collection of young objects; V8 learns from that to make them as old ones, and
// when many come it spends up to a third of its time on the old ones that nobody needs.
import cluster from 'node:cluster'
import process from 'node:process'
import { Command } from 'commander'
import { OptionsError } from '../options.ts'
import { quote } from '../protocol/text.ts'
import { acceptCrate } from './accept.ts'
import { addCare } from './care-command.ts'
import { ConfigError } from './config.ts'
import type { ConfigSources } from './config-sources.ts'
import { addDoctor } from './doctor-command.ts'
import { importFolder } from './import.ts'
import { signalOfInterrupt } from './interrupt.ts'
import { createLogger } from './logger.ts'
import { Mistake } from './mistake.ts'
import { type Serving, serve, serveAsWorker } from './serve.ts'
import { type SourceOptions, sourcesOf, withSources } from './source-options.ts'
import { addToken } from './token-command.ts'
import { addVerify } from './verify-command.ts'
import { packageVersion } from './version.ts'
import { warmLockFile } from './warm.ts'
import { addWebhooks } from './webhooks-command.ts'
import { obeyPrimary } from './worker.ts'

interface ServeOptions extends SourceOptions {
  readonly listen?: string
  readonly uplinks: boolean
}

interface ImportOptions extends SourceOptions {
  readonly owner: string
  readonly index?: string
}

interface AcceptOptions extends SourceOptions {
  readonly uplink?: string
  readonly yes?: boolean
}

const program = new Command('verdaccio-cargo').description('A Cargo registry').version(packageVersion())
addServe(program)
addImport(program)
addWarm(program)
addAccept(program)
addToken(program)
addWebhooks(program)
addVerify(program)
addDoctor(program)
addCare(program)
await program.parseAsync().catch(fail)

function addServe(parent: Command): void {
  withSources(parent.command('serve', { isDefault: true }))
    .description('serve the registry')
    .option('--listen <host:port>', 'address to listen on, default 127.0.0.1:8081')
    .option('--no-uplinks', 'only local crates: no other registry is asked')
    // As the default it is given the names of commands that do not exist.
    .allowExcessArguments()
    .action(async (options: ServeOptions, command: Command) => {
      mustHaveNoArguments(command.args, parent.args[0] === command.name())
      const { listen, uplinks } = options
      const sources = { ...sourcesOf(options), listen, uplinks }
      await (cluster.isWorker ? startAsWorker(sources) : start(sources))
    })
}

async function start(sources: ConfigSources): Promise<void> {
  const starting = serve(sources, process.stdout)
  stopOnSignal(starting)
  await starting
}

async function startAsWorker(sources: ConfigSources): Promise<void> {
  const starting = serveAsWorker(sources)
  obeyPrimary(starting, fail)
  await starting
}

function mustHaveNoArguments([first]: readonly string[], isNamed: boolean): void {
  if (first === undefined) return
  if (isNamed) throw new Mistake(`\`serve\` takes no arguments, and got ${quote(first)}`)
  throw new Mistake(`unknown command ${quote(first)}: \`verdaccio-cargo --help\` lists all`)
}

function addImport(parent: Command): void {
  withSources(parent.command('import'))
    .argument('<dir>', 'folder with .crate files, such as `$CARGO_HOME/registry/cache/<registry>`')
    .description('take .crate files into the registry; a running server goes on serving')
    .requiredOption('--owner <name>', 'user who owns the crates that are new')
    .option('--index <dir>', "folder of index files, or cargo's `registry/index/<registry>/.cache`")
    .action(async (folder: string, options: ImportOptions) => {
      const { owner, index } = options
      const parts = { out: process.stdout, logger: createLogger() }
      const report = await importFolder(sourcesOf(options), { folder, owner, index }, parts)
      if (report.refused.length > 0) process.exitCode = 1
    })
}

function addWarm(parent: Command): void {
  withSources(parent.command('warm'))
    .argument('<Cargo.lock>', 'lock file whose packages are to be had without any uplink')
    .description('fetch the packages of a lock file from the uplinks; a running server goes on serving')
    .action(async (lockFile: string, options: SourceOptions) => {
      const signal = signalOfInterrupt()
      const parts = { out: process.stdout, err: process.stderr, logger: createLogger(), signal }
      const { missing, left } = await warmLockFile(sourcesOf(options), lockFile, parts)
      if (missing.length + left > 0) process.exitCode = 1
    })
}

function addAccept(parent: Command): void {
  withSources(parent.command('accept'))
    .argument('<crate>', 'crate whose index file an uplink changed in a way that is not believed')
    .description("show how an uplink's index file differs from the kept copy, and end the conflict")
    .option('--uplink <name>', 'default: the uplink whose copy is served')
    .option('--yes', "keep the uplink's file from now on, although it contradicts the copy")
    .action(async (crate: string, { uplink, yes = false, ...options }: AcceptOptions) => {
      const parts = { out: process.stdout, logger: createLogger() }
      if ((await acceptCrate(sourcesOf(options), { crate, uplink, yes }, parts)) === 'open')
        process.exitCode = 1
    })
}

/** The first signal lets running requests finish; the second, or the first while nothing is served yet, does not. */
function stopOnSignal(starting: Promise<Serving>): void {
  let server: Serving | undefined
  let asked = false
  const stop = (signal: NodeJS.Signals) => {
    if (asked || server === undefined) return endBy(signal)
    asked = true
    server.close().then(() => process.exit(0), fail)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // Whoever started the server hears of a start that failed.
  starting.then(
    (started) => (server = started),
    () => {},
  )
}

/** As if nobody had listened: `exit()` would wait for reads of a disk that hangs. */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // The first process of a container is not ended by a signal of its own.
  process.exit(1)
}

/** Mistakes of the operator are one line, everything else has its trace. */
function fail(error: unknown): never {
  const expected = [ConfigError, OptionsError, Mistake].some((kind) => error instanceof kind)
  const text = error instanceof Error ? (expected ? error.message : error.stack) : String(error)
  process.stderr.write(`verdaccio-cargo: ${text}\n`)
  process.exit(1)
}
