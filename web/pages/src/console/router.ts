import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router';
import { watch, type Component } from 'vue';
import { session } from './session';

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title. */
    title: string;
    /** For everybody. */
    isOpen?: boolean;
  }
}

const routes: RouteRecordRaw[] = [
  {
    path: '/login',
    name: 'login',
    component: () => import('./views/LoginView.vue'),
    meta: { title: 'login.title', isOpen: true },
  },
  {
    path: '/',
    component: () => import('./layout/ConsoleLayout.vue'),
    meta: { title: 'menu.overview' },
    children: [
      { path: '', redirect: { name: 'overview' } },
      page('overview', () => import('./views/overview/OverviewView.vue')),
      page('rooms', () => import('./views/rooms/RoomsView.vue')),
      page('room', () => import('./views/rooms/RoomView.vue'), 'room/:liveId'),
      page('users', () => import('./views/users/UsersView.vue')),
      page('administrators', () => import('./views/system/AdministratorsView.vue')),
      page('gift-types', () => import('./views/gifts/GiftTypesView.vue')),
      page('gifts', () => import('./views/gifts/GiftsView.vue')),
      page('callbacks', () => import('./views/callbacks/CallbacksView.vue')),
      page('review', () => import('./views/review/ReviewView.vue')),
      page('banned-words', () => import('./views/words/BannedWordsView.vue')),
      page('operations', () => import('./views/system/OperationsView.vue')),
      page('configuration', () => import('./views/system/ConfigurationView.vue')),
      page('unknown', () => import('./views/UnknownView.vue'), ':unknown(.*)*'),
    ],
  },
];

function page(name: string, component: () => Promise<Component>, path = name): RouteRecordRaw {
  return { path, name, component, meta: { title: `menu.${name}` } };
}

export const router = createRouter({ history: createWebHistory('/console'), routes });

router.beforeEach(async (to) => {
  if (to.meta.isOpen || (await session.isOpen())) return true;
  return { name: 'login', query: { to: to.fullPath } };
});

// A session that ends while a page is open leads to the login, and from there back to the page.
watch(
  () => session.state.userId,
  (userId) => {
    const here = router.currentRoute.value;
    if (!userId && !here.meta.isOpen) void router.push({ name: 'login', query: { to: here.fullPath } });
  },
);
