import vue from '@vitejs/plugin-vue';
import { defineConfig, type Plugin } from 'vite';
import { compression, defineAlgorithm } from 'vite-plugin-compression2';

/** The server that `npm run dev` passes calls on to. */
const server = process.env.LIVELOOM_URL ?? 'http://127.0.0.1:8099';

/** While developing, the console's addresses lead to its page, as the server does it. */
const consolePage: Plugin = {
  name: 'console-page',
  configureServer({ middlewares }) {
    middlewares.use((request, _, next) => {
      if (/^\/console(\/|\?|$)/.test(request.url ?? '')) request.url = '/console.html';
      next();
    });
  },
};

export default defineConfig({
  plugins: [
    vue(),
    consolePage,
    // The server hands out what it finds compressed.
    compression({
      include: /\.(html|css|js|svg|json)$/,
      threshold: 1024,
      algorithms: [defineAlgorithm('gzip', { level: 9 }), defineAlgorithm('brotliCompress')],
    }),
  ],
  define: {
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  build: {
    target: 'es2022',
    // Nothing inline: the pages' Content-Security-Policy allows files of the server only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The players are large, and loaded only for a room that has a stream.
    chunkSizeWarningLimit: 800,
    rolldownOptions: { input: ['index.html', 'console.html'] },
  },
  server: {
    proxy: Object.fromEntries(
      ['/client', '/demo', '/manager', '/admin', '/realtime'].map((path) => [
        path,
        { target: server, ws: path === '/realtime' },
      ]),
    ),
  },
});
