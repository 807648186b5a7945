import { createRouter, createWebHistory } from 'vue-router';
import LobbyView from './views/LobbyView.vue';

export const router = createRouter({
  history: createWebHistory('/'),
  routes: [
    { path: '/', name: 'lobby', component: LobbyView },
    { path: '/room/:liveId', name: 'room', component: () => import('./views/RoomView.vue'), props: true },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
  scrollBehavior: (_to, _from, kept) => kept ?? { top: 0 },
});
