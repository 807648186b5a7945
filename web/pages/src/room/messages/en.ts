export default { title: 'liveloom' };
