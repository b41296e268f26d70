import process from 'node:process'
import type { Command } from 'commander'
import { signalOfInterrupt } from './interrupt.ts'
import { verify } from './verify.ts'

interface VerifyOptions {
  readonly repair?: boolean
  readonly config?: string
  readonly data?: string
}

/** The command that looks at everything in the storage. */
export function addVerify(parent: Command): void {
  parent
    .command('verify')
    .description('look at everything in the storage for damage; a running server goes on serving')
    .option('--repair', 'write derived data anew, and move damaged blobs to `quarantine/`')
    .option('--config <file>', 'settings in YAML')
    .option('--data <dir>', 'folder of the registry, default ./registry-data')
    .action(async ({ config: file, data, repair = false }: VerifyOptions) => {
      const sources = { file, data, workingDirectory: process.cwd(), environment: process.env }
      const parts = { out: process.stdout, err: process.stderr, repair, signal: signalOfInterrupt() }
      if (!(await verify(sources, parts))) process.exitCode = 1
    })
}
