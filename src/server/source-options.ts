import process from 'node:process'
import type { Command } from 'commander'
import type { ConfigSources } from './config-sources.ts'

/** Where a command finds the registry that it is about, in the words of its line. */
export interface SourceOptions {
  readonly config?: string
  readonly data?: string
}

/** Gives a command the options that name the registry. */
export function withSources(command: Command): Command {
  return command
    .option('--config <file>', 'settings in YAML')
    .option('--data <dir>', 'folder of the registry, default ./registry-data')
}

/** What those options mean, here and now. */
export function sourcesOf({ config: file, data }: SourceOptions): ConfigSources {
  return { file, data, workingDirectory: process.cwd(), environment: process.env }
}
