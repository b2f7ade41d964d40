"""The noun 访问留痕 on the web: who signed in, exported, downloaded."""
