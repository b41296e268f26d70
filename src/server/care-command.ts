import process from 'node:process'
import { type Command, InvalidArgumentError } from 'commander'
import { interval } from '../options/units.ts'
import { backUp, restore } from './backup.ts'
import { collect } from './gc.ts'
import { signalOfInterrupt } from './interrupt.ts'
import { type SourceOptions, sourcesOf, withSources } from './source-options.ts'

/** A publish stores its file a moment before the change that names it, and a slow store makes it a long one. */
const MIN_GRACE_MS = 60_000

/** The commands that look after the storage as a whole; a running server goes on serving, but for `restore`. */
export function addCare(parent: Command): void {
  withSources(parent.command('gc'))
    .description('remove what nobody needs from the storage')
    .option('--grace <interval>', 'leave alone what is younger', parseGrace, 24 * 60 * 60_000)
    .option('--dry-run', 'only tell what would go')
    .action(async (options: SourceOptions & { readonly grace: number; readonly dryRun?: boolean }) => {
      const { grace, dryRun = false } = options
      await collect(sourcesOf(options), { out: process.stdout, grace, dryRun, signal: signalOfInterrupt() })
    })

  withSources(parent.command('backup'))
    .argument('<dir>', 'folder for the copy, or with an earlier one')
    .description('copy the storage to a folder')
    .action(async (folder: string, options: SourceOptions) => {
      if (!(await backUp(sourcesOf(options), folder, parts()))) process.exitCode = 1
    })

  withSources(parent.command('restore'))
    .argument('<dir>', 'folder with a backup')
    .option('--force', 'also into a storage that has crates; what is there stays')
    .description('copy a backup into the storage, and verify it; no server may be running')
    .action(async (folder: string, options: SourceOptions & { readonly force?: boolean }) => {
      const { force = false } = options
      if (!(await restore(sourcesOf(options), { folder, force }, parts()))) process.exitCode = 1
    })
}

function parts() {
  return { out: process.stdout, err: process.stderr, signal: signalOfInterrupt() }
}

function parseGrace(text: string): number {
  const parsed = interval.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError('It must be a time such as `1d` or `12h`.')
  if (parsed.data < MIN_GRACE_MS)
    throw new InvalidArgumentError('It must be at least `1m`: what is younger may be of a publish under way.')
  return parsed.data
}
