#!py

def run():
    config = {}
    image = __pillar__['nginx']['image']
    config['docker-py'] = {'pip.installed': [{'name': 'docker-py'}]}
    config['docker_compare_running'] = {
        'file.managed': [
            {'name': '/usr/local/bin/docker_compare_running'},
            {'source': 'salt://docker_compare_running'},
            {'mode': '0755'},
        ],
    }
    config['nginx_pulled'] = {
        'docker.pulled': [
            {'name': image},
            {'tag': 'latest'},
            {'force': True},
            {'require': [{'pip': 'docker-py'}]},
            {'order': 200},
        ],
    }
    config['ournginx_absent'] = {
        'cmd.run': [
            {'name': '/usr/bin/docker stop -t 10 ournginx && /usr/bin/docker rm -f ournginx'},
            {'unless': '/usr/local/bin/docker_compare_running ournginx %s:latest' % image},
            {'require': [{'file': 'docker_compare_running'}]},
            {'order': 201},
        ],
    }
    config['ournginx_container'] = {
        'docker.installed': [
            {'name': 'ournginx'},
            {'image': image + ':latest'},
            {'mem_limit': None},
            {'ports': [80]},
            {'require': [{'docker': 'nginx_pulled'}]},
            {'order': 210},
        ],
    }
    config['ournginx_running'] = {
        'docker.running': [
            {'name': 'ournginx'},
            {'image': image + ':latest'},
            {'port_bindings': {'80/tcp': {'HostIp': '127.0.0.1', 'HostPort': '8080'}}},
            {'require': [{'docker': 'ournginx_container'}]},
            {'order': 211},
        ],
    }
    return config
