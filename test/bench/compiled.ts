import { execFile } from 'node:child_process'
import { mkdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OtherRegistry } from './other-registry.ts'

const run = promisify(execFile)
/** Programs are compiled once, and kept here. */
const FOLDER = join(tmpdir(), 'cargo-bench-registries')
const MAX_OUTPUT = 64 * 1024 * 1024

type Package = Pick<OtherRegistry, 'name' | 'version' | 'source' | 'program'>

/** The program of a registry; throws, with what the compiler said, when it cannot be had. */
export async function compiled(wanted: Package): Promise<string> {
  const { name, version, source } = wanted
  const folder = join(FOLDER, `${wanted.program}-${version}`)
  const program = join(folder, 'bin', wanted.program)
  if (await stat(program).catch(() => undefined)) return program
  process.stderr.write(`${name} ${version}: is compiled, which takes long\n`)
  await mkdir(join(folder, 'bin'), { recursive: true })
  if (source === 'crates.io') await compileCrate(`${name}@${version}`, folder)
  else await compileModule(await moduleFolder(wanted), program)
  return program
}

/** The source of a Go module. */
export async function moduleFolder({ name, version }: Pick<Package, 'name' | 'version'>): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', `${name}@v${version}`])
  return JSON.parse(stdout).Dir
}

async function compileCrate(name: string, folder: string): Promise<void> {
  const args = ['install', '--root', folder, '--locked', '--jobs', '1', name]
  const env = { ...process.env, CARGO_TARGET_DIR: join(FOLDER, 'target') }
  await run('cargo', args, { env, maxBuffer: MAX_OUTPUT })
}

/** In the module's own folder: `go install` refuses modules whose go.mod replaces others. */
async function compileModule(cwd: string, program: string): Promise<void> {
  const args = ['build', '-p', '1', '-tags', 'sqlite sqlite_unlock_notify', '-o', program, '.']
  await run('go', args, { cwd, maxBuffer: MAX_OUTPUT })
}
