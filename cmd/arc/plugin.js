// A plugin of arc and Architect: https://arc.codes/docs/en/guides/plugins/overview
// Name it below @plugins in app.arc. Remove what it has no use for.
module.exports = {
  set: {
    // Environment variables of every function, of all stages or { testing, staging, production }.
    env: ({ arc, inventory }) => ({ HELLO: 'from the plugin' }),

    // Further functions; src is relative to the project. Likewise: events, queues,
    // scheduled, ws, tables-streams, customLambdas; tables, tables-indexes, static,
    // proxy, shared, views and runtimes.
    // http: ({ arc, inventory }) => ({ method: 'get', path: '/hello', src: 'src/hello' }),
  },

  deploy: {
    // Changes the template of the stack, in the words of SAM.
    start: async ({ arc, cloudformation, dryRun, inventory, stackName, stage }) => {
      // cloudformation.Resources.Uploads = { Type: 'AWS::S3::Bucket', Properties: {} }
      return cloudformation
    },

    // When the stack is deployed.
    // end: async ({ arc, cloudformation, dryRun, inventory, stackName, stage }) => {},
  },

  sandbox: {
    // When the app runs on this machine; invoke calls one of its functions.
    // start: async ({ arc, inventory, invoke }) => {
    //   await invoke({ pragma: 'events', name: 'hello', payload: {} })
    // },
    // watcher: async ({ arc, inventory, filename, event }) => {},
    // end: async ({ arc, inventory }) => {},
  },
}
