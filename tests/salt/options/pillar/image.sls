image: registry.example.com/demo/web:1.0.0
