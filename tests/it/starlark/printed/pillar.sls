def run():
    base_pillar = {}
    base_pillar['docker-registries'] = {
        '': {
            'email': '',
            'password': “docker-registry-password”,
            'username': ‘accountname'
    return base_pillar
