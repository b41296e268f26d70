import process from 'node:process'
import type { Command } from 'commander'
import { examine } from './doctor.ts'

interface DoctorOptions {
  readonly write?: boolean
  readonly config?: string
  readonly data?: string
  readonly url?: string
}

/** The command that tries everything a registry rests on. */
export function addDoctor(parent: Command): void {
  parent
    .command('doctor')
    .description('try settings, storage, Redis, uplinks and the URL, and say what to do about what is wrong')
    .option(
      '--write',
      'also publish a tiny crate, with the token in VERDACCIO_CARGO_TOKEN, take it back, and ping the webhooks',
    )
    .option('--url <url>', "the registry's URL, mount included, if it is not the one of the settings")
    .option('--config <file>', 'settings in YAML')
    .option('--data <dir>', 'folder of the registry, default ./registry-data')
    .action(async ({ config: file, data, url, write = false }: DoctorOptions) => {
      const sources = { file, data, workingDirectory: process.cwd(), environment: process.env }
      if (!(await examine(sources, { url, write }, process.stdout))) process.exitCode = 1
    })
}
