export { type Config, ConfigError, parseConfig } from './config.ts'
export { type ConfigSources, loadConfig } from './config-sources.ts'
export { type CargoServer, createServer, type ServerContext } from './server.ts'
