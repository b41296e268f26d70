import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe } from 'node:test'
import {
  type CargoHome,
  type CargoRun,
  type Context,
  cargoHome,
  type HomeSpec,
  type ProjectSpec,
  project,
  temporaryFolder,
} from './cargo.ts'
import { type ServerSpec, startServer, type TestServer, TRANSPORTS, type Transport } from './server.ts'

/** Cargo waits more than it works. */
const CONCURRENCY = 3

/** A server, called `ours` by its clients, and ways to use it. */
export interface Bench {
  readonly server: TestServer
  /** Ann's, who may publish. */
  readonly home: CargoHome
  /** A `CARGO_HOME` that has seen nothing. */
  freshHome(spec?: Partial<HomeSpec>): Promise<CargoHome>
  /** Writes a project to a folder of its own. */
  project(spec: ProjectSpec): Promise<string>
  /** Writes a project and publishes it as ann, unverified. */
  publish(spec: ProjectSpec, args?: readonly string[]): Promise<CargoRun>
}

/** Declares tests once for each way to reach a server. */
export function overEachTransport(subject: string, declare: (transport: Transport) => void): void {
  for (const transport of TRANSPORTS) {
    describe(`${subject} over ${transport}`, { concurrency: CONCURRENCY }, () => declare(transport))
  }
}

/** Starts a server and makes a home for it. */
export async function bench(context: Context, spec: ServerSpec = {}): Promise<Bench> {
  const server = await startServer(context, spec)
  const work = await temporaryFolder(context)
  let projects = 0
  const freshHome = (more: Partial<HomeSpec> = {}) =>
    cargoHome(context, {
      registries: { ours: server.index },
      target: join(work, 'target'),
      ...(server.ca !== undefined && { ca: server.ca }),
      ...more,
    })
  const home = await freshHome({ tokens: { ours: 'ann-token' } })
  const newProject = (files: ProjectSpec) => {
    projects += 1
    return project(join(work, `project-${projects}`), files)
  }
  return {
    server,
    home,
    freshHome,
    project: newProject,
    async publish(files, args = []) {
      const cwd = await newProject(files)
      return home.cargo(['publish', '--registry', 'ours', '--no-verify', ...args], { cwd })
    },
  }
}

/** Asserts how a command ended, and that its output has each of the texts. */
export function assertRun(run: CargoRun, code: number, ...texts: readonly (string | RegExp)[]): void {
  const output = `${run.stdout}${run.stderr}`
  assert.equal(run.code, code, output)
  for (const text of texts) {
    if (typeof text === 'string')
      assert.ok(output.includes(text), `no ${JSON.stringify(text)} in:\n${output}`)
    else assert.match(output, text)
  }
}
