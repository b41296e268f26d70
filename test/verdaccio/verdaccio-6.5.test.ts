import { declareSuite } from './suite.ts'

declareSuite('6.5.0')
