import process from 'node:process'
import type { Command } from 'commander'
import { examine } from './doctor.ts'
import { type SourceOptions, sourcesOf, withSources } from './source-options.ts'

interface DoctorOptions extends SourceOptions {
  readonly uplinks: boolean
  readonly write?: boolean
  readonly url?: string
}

/** The command that tries everything a registry rests on. */
export function addDoctor(parent: Command): void {
  withSources(parent.command('doctor'))
    .description('try settings, storage, Redis, uplinks and the URL, and say what to do about what is wrong')
    .option(
      '--write',
      'also publish a tiny crate, with the token in VERDACCIO_CARGO_TOKEN, take it back, and ping the webhooks',
    )
    .option('--no-uplinks', 'as a server that was started with it')
    .option('--url <url>', "the registry's URL, mount included, if it is not the one of the settings")
    .action(async ({ url, write = false, uplinks, ...options }: DoctorOptions) => {
      const sources = { ...sourcesOf(options), uplinks }
      if (!(await examine(sources, { url, write }, process.stdout))) process.exitCode = 1
    })
}
