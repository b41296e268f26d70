import process from 'node:process'
import type { Command } from 'commander'
import { signalOfInterrupt } from './interrupt.ts'
import { type SourceOptions, sourcesOf, withSources } from './source-options.ts'
import { verify } from './verify.ts'

interface VerifyOptions extends SourceOptions {
  readonly repair?: boolean
}

/** The command that looks at everything in the storage. */
export function addVerify(parent: Command): void {
  withSources(parent.command('verify'))
    .description('look at everything in the storage for damage; a running server goes on serving')
    .option('--repair', 'write derived data anew, and move damaged blobs to `quarantine/`')
    .action(async ({ repair = false, ...options }: VerifyOptions) => {
      const parts = { out: process.stdout, err: process.stderr, repair, signal: signalOfInterrupt() }
      if (!(await verify(sourcesOf(options), parts))) process.exitCode = 1
    })
}
