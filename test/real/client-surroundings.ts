import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Context, temporaryFolder } from '../support/cargo.ts'

const run = promisify(execFile)

/** A URL that cargo-deny accepts; git is told to look elsewhere. */
const ADVISORIES_URL = 'https://advisories.example/db'
const ADVISORY = `\`\`\`toml
[advisory]
id = "RUSTSEC-2020-0001"
package = "nobody-uses-this"
date = "2020-01-01"

[versions]
patched = [">= 1.0.0"]
\`\`\`

# A generated advisory

About nothing.
`

/** What the file that is installed as a program says. */
export const PROGRAM = '#!/bin/sh\necho a generated program\n'

/** What Renovate tells of a dependency. */
export interface RenovateDep {
  readonly depName: string
  readonly sourceUrl?: string
  readonly updates: readonly { readonly newVersion: string; readonly releaseTimestamp?: string }[]
}

export async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.org']
  await run('git', [...identity, ...args], { cwd })
}

/** A database of security advisories with one that concerns nobody, in a git repository of its own. */
export async function advisoryDatabase(context: Context) {
  const folder = await temporaryFolder(context)
  const [repository, gitConfig] = [join(folder, 'db'), join(folder, 'gitconfig')]
  const crate = join(repository, 'crates', 'nobody-uses-this')
  await mkdir(crate, { recursive: true })
  await writeFile(join(crate, 'RUSTSEC-2020-0001.md'), ADVISORY)
  await git(repository, 'init', '--quiet', '--initial-branch', 'main')
  await git(repository, 'add', '.')
  await git(repository, 'commit', '--quiet', '--message', 'advisories')
  await writeFile(gitConfig, `[url "file://${repository}"]\n\tinsteadOf = ${ADVISORIES_URL}\n`)
  return { url: ADVISORIES_URL, gitConfig }
}

/** A `deny.toml` that allows this registry and crates.io, and nothing yanked. */
export function denyConfig(advisories: string, folder: string, index: string): string {
  return `[advisories]
db-path = ${JSON.stringify(folder)}
db-urls = [${JSON.stringify(advisories)}]
yanked = "deny"

[licenses]
allow = ["MIT"]

[sources]
unknown-registry = "deny"
allow-registry = ["https://github.com/rust-lang/crates.io-index", ${JSON.stringify(index)}]
`
}

/** The dependencies in Renovate's log. */
export function renovateDeps(log: string): readonly RenovateDep[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{'))
  const found = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'packageFiles with updates')
  if (found === undefined) throw new Error(`Renovate found nothing:\n${log.slice(-4000)}`)
  return found.config.cargo.flatMap(({ deps }: { readonly deps: readonly RenovateDep[] }) => deps)
}
