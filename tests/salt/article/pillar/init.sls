#!py

def run():
    base_pillar = {}
    base_pillar['docker-registries'] = {
        'registry.example.com': {
            'email': 'ops@example.com',
            'password': 'canary-article-password',
            'username': 'accountname',
        },
    }
    base_pillar['nginx'] = {'image': 'registry.example.com/web/nginx'}
    return base_pillar
