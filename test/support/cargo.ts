import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stringify } from 'smol-toml'

/** No command takes this long, even on a busy machine. */
const COMMAND_TIMEOUT_MS = 120_000
/** Nothing listens here: a request to crates.io fails at once instead of leaving the machine. */
const NOWHERE = 'sparse+http://127.0.0.1:1/'

export interface CargoRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CargoCall {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; default none. */
  readonly input?: string
  /** Whether cargo believes that a person sits at a terminal, and asks. */
  readonly terminal?: boolean
  /** Milliseconds until it is ended; default two minutes. */
  readonly timeout?: number
}

export interface HomeSpec {
  /** The index URL of each registry by the name it gets, `sparse+http://…/`. */
  readonly registries: Readonly<Record<string, string>>
  /** Tokens by the name of the registry, put into `credentials.toml`. */
  readonly tokens?: Readonly<Record<string, string>>
  /** Further configuration, as `config.toml` has it. */
  readonly config?: object
  /** File with the certificate that cargo shall trust. */
  readonly ca?: string
  /** Index URL that cargo takes for crates.io; default: one that answers nothing. */
  readonly cratesIo?: string
  /** Where compiled code goes; default: the home. */
  readonly target?: string
  /** Where the home is made; default: the system's temporary folder. */
  readonly parent?: string
}

/** A throw-away `CARGO_HOME`. */
export interface CargoHome {
  readonly folder: string
  /** Runs `cargo` with `args`; default folder is one without a project. */
  cargo(args: readonly string[], call?: CargoCall): Promise<CargoRun>
}

export interface ProjectSpec {
  /** `Cargo.toml`. */
  readonly manifest: string
  /** Files by path; default an empty `src/lib.rs`. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Context {
  after(done: () => Promise<void>): void
}

/** Makes an empty folder in `parent` that is removed at the end of the test. */
export async function temporaryFolder(context: Context, parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'cargo-test-'))
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}

/** Writes a cargo project to `folder`. */
export async function project(folder: string, { manifest, files }: ProjectSpec): Promise<string> {
  const content = { 'src/lib.rs': '', ...files, 'Cargo.toml': manifest }
  for (const [path, text] of Object.entries(content)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

/** A manifest that every rule accepts; `rest` follows the `[package]` table's first keys. */
export function manifest(name: string, version = '1.0.0', rest = ''): string {
  return `[package]
name = "${name}"
version = "${version}"
edition = "2021"
description = "The crate ${name}"
license = "MIT"
${rest}`
}

/** Makes a `CARGO_HOME` that knows the registries and nothing else. */
export async function cargoHome(context: Context, spec: HomeSpec): Promise<CargoHome> {
  const folder = await temporaryFolder(context, spec.parent)
  const registries = Object.entries(spec.registries).map(([name, index]) => [name, { index }])
  const config = { ...spec.config, registries: Object.fromEntries(registries) }
  const tokens = Object.entries(spec.tokens ?? {}).map(([name, token]) => [name, { token }])
  await writeFile(join(folder, 'config.toml'), stringify(config))
  if (tokens.length > 0) {
    await writeFile(join(folder, 'credentials.toml'), stringify({ registries: Object.fromEntries(tokens) }))
  }
  const env = {
    ...inheritedEnvironment(),
    CARGO_HOME: folder,
    CARGO_TARGET_DIR: spec.target ?? join(folder, 'target'),
    CARGO_TERM_COLOR: 'never',
    CARGO_NET_RETRY: '0',
    CARGO_INCREMENTAL: '0',
    __CARGO_TEST_CRATES_IO_URL_DO_NOT_USE_THIS: spec.cratesIo ?? NOWHERE,
    ...(spec.ca !== undefined && { CARGO_HTTP_CAINFO: spec.ca }),
  }
  return {
    folder,
    cargo: (args, { cwd = folder, env: more, input, terminal = false, timeout = COMMAND_TIMEOUT_MS } = {}) =>
      run(
        terminal ? atTerminal(args) : ['cargo', ...args],
        { cwd, env: { ...env, ...more }, timeout },
        input,
      ),
  }
}

/** The environment without anything that would change what cargo does. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => !/^(cargo|rust(?!up_)|.*_proxy$)/i.test(name))
  return Object.fromEntries(names.map((name) => [name, process.env[name]]))
}

/** The same command in a pseudo terminal; `script` is part of util-linux. */
function atTerminal(args: readonly string[]): readonly string[] {
  const command = ['cargo', ...args].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ')
  return ['script', '--quiet', '--return', '--command', command, '/dev/null']
}

function run(
  [program = '', ...args]: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly timeout: number },
  input: string | undefined,
): Promise<CargoRun> {
  const child = spawn(program, args, options)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // Cargo may be gone before it reads.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
