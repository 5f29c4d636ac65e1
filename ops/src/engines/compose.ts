import { containerFiles, probeCommand } from './container.ts'
import { type EngineFacts, type EngineFile, plainSettings } from './engine-facts.ts'
import { yamlFile } from './yaml-file.ts'

/** One machine with Docker Compose: web, worker, operations, PostgreSQL, Redis, and the image they run. */
export function composeFiles(facts: EngineFacts): EngineFile[] {
  const application = (args: string[], more: { memory: string; cpus: string; [key: string]: unknown }) => {
    const { memory, cpus, ...rest } = more
    return {
      image: `${facts.image}:${facts.tag}`,
      command: args,
      environment: {
        ...plainSettings(facts),
        // Compose completes both from .env beside this file.
        DATABASE_URL: 'postgresql://dam:${DAM_DATABASE_PASSWORD:?set it in .env}@postgres:5432/dam_db',
        REDIS_URL: 'redis://redis:6379/0',
      },
      user: '1000:1000',
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      init: true,
      volumes: ['data:/data'],
      restart: 'unless-stopped',
      stop_grace_period: `${facts.drainSeconds + 5}s`,
      deploy: { resources: { limits: { memory, cpus } } },
      depends_on: {
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
        migrate: { condition: 'service_completed_successfully' },
      },
      ...rest,
    }
  }
  const health = (test: string[]) => ({
    test: ['CMD', ...test],
    interval: '5s',
    timeout: '5s',
    retries: facts.failedReadiness,
    start_period: '60s',
  })
  const migrate = application(['command/src/main.ts', 'migrate'], {
    memory: '512M',
    cpus: '1',
    restart: 'no',
    depends_on: { postgres: { condition: 'service_healthy' } },
    build: {
      context: '../..',
      dockerfile: 'deploy/compose/Dockerfile',
      args: { DAM_TAG: facts.tag, DAM_COMMIT: '${DAM_COMMIT:?git rev-parse HEAD}' },
    },
  })
  const compose = {
    name: 'dam',
    services: {
      migrate,
      web: application(['backend/src/main.ts', 'web'], {
        memory: '1G',
        cpus: '2',
        ports: [`127.0.0.1:${facts.port}:${facts.port}`],
        healthcheck: health(probeCommand(`http://127.0.0.1:${facts.port}/readyz`)),
      }),
      worker: application(['backend/src/main.ts', 'worker'], { memory: '3G', cpus: '2' }),
      ops: application(['ops/src/main.ts'], {
        memory: '512M',
        cpus: '1',
        environment: {
          ...plainSettings(facts),
          HOST: 'web',
          DATABASE_URL: 'postgresql://dam:${DAM_DATABASE_PASSWORD:?set it in .env}@postgres:5432/dam_db',
          OPS_HOST: '0.0.0.0',
          OPS_PORT: String(facts.opsPort),
        },
        ports: [`127.0.0.1:${facts.opsPort}:${facts.opsPort}`],
        healthcheck: health(probeCommand(`http://127.0.0.1:${facts.opsPort}/readyz`)),
        // It has to be there when the application is not.
        depends_on: {},
      }),
      postgres: {
        image: 'postgres:18',
        command: ['postgres', '-c', 'shared_preload_libraries=pg_stat_statements'],
        environment: {
          POSTGRES_USER: 'dam',
          POSTGRES_DB: 'dam_db',
          POSTGRES_PASSWORD: '${DAM_DATABASE_PASSWORD:?set it in .env}',
        },
        // The image of PostgreSQL 18 keeps its data one folder higher than those before.
        volumes: ['postgres:/var/lib/postgresql'],
        shm_size: '256m',
        restart: 'unless-stopped',
        stop_grace_period: '60s',
        healthcheck: health(['pg_isready', '-U', 'dam', '-d', 'dam_db']),
        deploy: { resources: { limits: { memory: '2G', cpus: '2' } } },
      },
      redis: {
        image: 'redis:8',
        // A cache and nothing else.
        command: ['redis-server', '--save', '', '--maxmemory', '256mb', '--maxmemory-policy', 'allkeys-lru'],
        restart: 'unless-stopped',
        read_only: true,
        healthcheck: health(['redis-cli', 'ping']),
        deploy: { resources: { limits: { memory: '384M', cpus: '0.5' } } },
      },
    },
    volumes: { data: {}, postgres: {} },
  }
  return [yamlFile(facts, 'compose', 'compose.yaml', compose), ...containerFiles(facts)]
}
