import { createApp } from 'vue';
import './ui';
import './styles/theme.css';
import './styles/console.css';
import App from './App.vue';
import { i18n } from './messages';
import { router } from './router';

createApp(App).use(i18n).use(router).mount('#app');
